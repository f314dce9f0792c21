-- Orders 1 to 100,000 as they were.
UPDATE orders SET status = 'pending', estimated_preparation_minutes = NULL, version = 1 WHERE id <= 100000 AND status <> 'pending';
DELETE FROM order_history WHERE order_id <= 100000;
