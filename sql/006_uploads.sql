-- 006: photos of shopping lists. The files lie in PICKUP_UPLOAD_DIR; a row is made after its file and goes before it.

CREATE TABLE uploads (
  name        VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- of the file: random, and the kind behind a dot
  customer_id BIGINT UNSIGNED NOT NULL,
  bytes       INT UNSIGNED    NOT NULL,
  order_id    BIGINT UNSIGNED NULL,                -- the one order that it serves
  created_at  DATETIME(6)     NOT NULL,
  PRIMARY KEY (name),
  UNIQUE KEY one_order (order_id),
  KEY of_customer (customer_id, order_id),
  KEY waiting (order_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
