-- 001: the shop system as it was before pre-orders: users, shops, products, orders and their lines.
--
-- Instants are DATETIME(6) in UTC, money is DECIMAL(10,2). Common subset of MySQL 8 and MariaDB 10.6+.
-- Rows of users, shops and products are deactivated, never deleted, and every order is written in a transaction that has
-- read its shop, customer and products: so orders and order_items carry no foreign keys, whose checks would lock those
-- parents' rows once per order.

CREATE TABLE users (
  id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  full_name     VARCHAR(120)    NOT NULL,
  phone_number  VARCHAR(20)     COLLATE utf8mb4_bin NOT NULL,  -- digits, perhaps a leading +
  email         VARCHAR(254)    NULL,
  password_hash VARCHAR(128)    COLLATE utf8mb4_bin NULL,      -- argon2id; NULL: signs in elsewhere
  role          VARCHAR(20)     COLLATE utf8mb4_bin NOT NULL,  -- customer, shopkeeper, admin
  is_active     TINYINT         NOT NULL DEFAULT 1,
  created_at    DATETIME(6)     NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY phone (phone_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE shops (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  owner_id     BIGINT UNSIGNED NOT NULL,
  name         VARCHAR(120)    NOT NULL,
  timezone     VARCHAR(64)     COLLATE utf8mb4_bin NOT NULL DEFAULT 'UTC',  -- IANA name
  currency     CHAR(3)         COLLATE utf8mb4_bin NOT NULL DEFAULT 'INR',  -- ISO 4217
  address      VARCHAR(500)    NULL,
  phone_number VARCHAR(20)     COLLATE utf8mb4_bin NULL,
  is_active    TINYINT         NOT NULL DEFAULT 1,
  created_at   DATETIME(6)     NOT NULL,
  updated_at   DATETIME(6)     NOT NULL,
  PRIMARY KEY (id),
  KEY owner (owner_id),
  CONSTRAINT shop_owner FOREIGN KEY (owner_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE products (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  shop_id     BIGINT UNSIGNED NOT NULL,
  name        VARCHAR(120)    NOT NULL,
  description VARCHAR(1000)   NULL,
  unit        VARCHAR(20)     NULL,               -- "kg", "piece"
  price       DECIMAL(10,2)   NOT NULL,
  stock       INT             NULL,               -- NULL: not counted
  is_active   TINYINT         NOT NULL DEFAULT 1, -- on sale
  created_at  DATETIME(6)     NOT NULL,
  updated_at  DATETIME(6)     NOT NULL,
  PRIMARY KEY (id),
  KEY shop_products (shop_id, id),
  CONSTRAINT product_shop FOREIGN KEY (shop_id) REFERENCES shops (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE orders (
  id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  shop_id        BIGINT UNSIGNED NOT NULL,
  customer_id    BIGINT UNSIGNED NOT NULL,
  customer_name  VARCHAR(120)    NOT NULL,                     -- as it was when the order was placed
  status         VARCHAR(20)     COLLATE utf8mb4_bin NOT NULL,
  total_amount   DECIMAL(10,2)   NOT NULL DEFAULT 0,
  order_notes    VARCHAR(1000)   NULL,
  list_image_url VARCHAR(255)    COLLATE utf8mb4_bin NULL,     -- the chitty
  created_at     DATETIME(6)     NOT NULL,
  updated_at     DATETIME(6)     NOT NULL,
  PRIMARY KEY (id),
  KEY customer_created (customer_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Clustered by order: the lines of an order lie together on a page.
CREATE TABLE order_items (
  order_id               BIGINT UNSIGNED   NOT NULL,
  line                   SMALLINT UNSIGNED NOT NULL,           -- from 1
  product_id             BIGINT UNSIGNED   NOT NULL,
  product_name           VARCHAR(120)      NOT NULL,           -- as it was when the order was placed
  quantity               SMALLINT UNSIGNED NOT NULL,
  price_at_time_of_order DECIMAL(10,2)     NOT NULL,
  special_instructions   VARCHAR(200)      NULL,
  PRIMARY KEY (order_id, line)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
