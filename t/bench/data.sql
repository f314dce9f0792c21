-- The harness's data in our tables: 20 shops with 50 products each, 2,000 customers, 100,000 orders of two lines.
-- Owner of shop n is user n; customers are users 21 to 2020; order n belongs to shop (n - 1) MOD 20 + 1.
INSERT INTO users (id, full_name, phone_number, role, created_at)
  SELECT seq, CONCAT('Owner ', seq), CONCAT('+91', seq), 'shopkeeper', UTC_TIMESTAMP(6) FROM seq_1_to_20;
INSERT INTO users (id, full_name, phone_number, role, created_at)
  SELECT seq, CONCAT('Customer ', seq), CONCAT('+91', seq), 'customer', UTC_TIMESTAMP(6) FROM seq_21_to_2020;
INSERT INTO shops (id, owner_id, name, timezone, created_at, updated_at)
  SELECT seq, seq, CONCAT('Shop ', seq), 'Asia/Kolkata', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM seq_1_to_20;
INSERT INTO products (id, shop_id, name, price, stock, created_at, updated_at)
  SELECT seq, (seq - 1) DIV 50 + 1, CONCAT('Product ', seq), 10 + (seq * 37 MOD 9000) / 100, 1000000000, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM seq_1_to_1000;
INSERT INTO orders (id, customer_id, customer_name, shop_id, total_amount, status, order_type, scheduled_pickup_time, order_notes, items_json, created_at, updated_at)
  SELECT seq, 21 + seq MOD 2000, CONCAT('Customer ', 21 + seq MOD 2000), (seq - 1) MOD 20 + 1, 120.50, 'pending', 'pre_order', '2030-02-26 11:30:00',
  'Will come at 5 PM sharp', CONCAT(',"product_id":', ((seq - 1) MOD 20) * 50 + 1 + (seq * 7 + 1 * 11) MOD 50, ',"product_name":"Product ', ((seq - 1) MOD 20) * 50 + 1 + (seq * 7 + 1 * 11) MOD 50, '","quantity":1,"price_at_time_of_order":25.1,"special_instructions":null}\n',
    ',"product_id":', ((seq - 1) MOD 20) * 50 + 1 + (seq * 7 + 2 * 11) MOD 50, ',"product_name":"Product ', ((seq - 1) MOD 20) * 50 + 1 + (seq * 7 + 2 * 11) MOD 50, '","quantity":2,"price_at_time_of_order":25.1,"special_instructions":null}\n'), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM seq_1_to_100000;
INSERT INTO order_items (order_id, line, product_id, product_name, quantity, price_at_time_of_order, stock_taken)
  SELECT o.seq, i.seq, ((o.seq - 1) MOD 20) * 50 + 1 + (o.seq * 7 + i.seq * 11) MOD 50, CONCAT('Product ', ((o.seq - 1) MOD 20) * 50 + 1 + (o.seq * 7 + i.seq * 11) MOD 50),
  i.seq, 25.10, 1 FROM seq_1_to_100000 o, seq_1_to_2 i ORDER BY o.seq, i.seq;
ANALYZE TABLE users, shops, products, orders, order_items;
