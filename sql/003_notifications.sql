-- 003: versions and history of orders, retries by idempotency key, the outbox and what the relay makes of it.

-- Counts the changes; the guard of every UPDATE (WHERE version = what was read) and the ETag.
ALTER TABLE orders ADD COLUMN version INT UNSIGNED NOT NULL DEFAULT 1;

-- Whether the shop counted the product when it was ordered: only then does a cancelled order give stock back.
ALTER TABLE order_items ADD COLUMN stock_taken TINYINT NOT NULL DEFAULT 0;

-- The lines of an order once more, as its answers show them (render.h): reading them from order_items costs a list half its time. Lines never
-- change. NULL: an order from before, or written by others; its lines are read from order_items.
ALTER TABLE orders ADD COLUMN items_json MEDIUMTEXT COLLATE utf8mb4_bin NULL;

-- A list asks for each wanted (status, order_type) in turn and merges, so this one index serves every filter, newest first.
ALTER TABLE orders ADD KEY shop_list (shop_id, status, order_type, created_at);

-- updated_since: orders placed earlier and changed since.
ALTER TABLE orders ADD KEY shop_updated (shop_id, updated_at, created_at);

-- The full state after each change. An order that never changed has no rows here: its first entry is the order itself,
-- and is written together with the second.
CREATE TABLE order_history (
  order_id                      BIGINT UNSIGNED NOT NULL,
  version                       INT UNSIGNED    NOT NULL,
  status                        VARCHAR(20)     COLLATE utf8mb4_bin NOT NULL,
  estimated_preparation_minutes INT             NULL,
  total_amount                  DECIMAL(10,2)   NOT NULL,
  set_by_id                     BIGINT UNSIGNED NULL,                   -- NULL: the system
  set_by_role                   VARCHAR(20)     COLLATE utf8mb4_bin NULL,
  at                            DATETIME(6)     NOT NULL,
  PRIMARY KEY (order_id, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Written in the transaction that placed the order; the answer is given again, as it was, to a retry.
CREATE TABLE idempotency_keys (
  customer_id BIGINT UNSIGNED NOT NULL,
  idem_key    VARBINARY(255)  NOT NULL,
  body_hash   CHAR(64)        NOT NULL,          -- of the JSON value, hexadecimal
  order_id    BIGINT UNSIGNED NOT NULL,
  answer      MEDIUMTEXT      NOT NULL,
  replays     INT UNSIGNED    NOT NULL DEFAULT 0,
  created_at  DATETIME(6)     NOT NULL,
  PRIMARY KEY (customer_id, idem_key),
  KEY created (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Notifications not yet numbered: written in the transaction of the change, emptied by the relay.
CREATE TABLE outbox (
  id            BIGINT UNSIGNED  NOT NULL AUTO_INCREMENT,
  channel_kind  TINYINT UNSIGNED NOT NULL,          -- 1 shop, 2 customer
  channel_id    BIGINT UNSIGNED  NOT NULL,
  shop_id       BIGINT UNSIGNED  NOT NULL,
  order_id      BIGINT UNSIGNED  NOT NULL,
  order_version INT UNSIGNED     NOT NULL,
  at            DATETIME(6)      NOT NULL,
  body          VARCHAR(2000)    NOT NULL,          -- the message, JSON
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The numbered notifications, kept for readers who missed some. seq counts within a channel, pub_no over all of them, both
-- without gaps; pub_no is the order of publishing.
CREATE TABLE events (
  channel_kind TINYINT UNSIGNED NOT NULL,
  channel_id   BIGINT UNSIGNED  NOT NULL,
  seq          BIGINT UNSIGNED  NOT NULL,
  pub_no       BIGINT UNSIGNED  NOT NULL,
  outbox_id    BIGINT UNSIGNED  NOT NULL,
  shop_id      BIGINT UNSIGNED  NOT NULL,
  at           DATETIME(6)      NOT NULL,
  body         VARCHAR(2000)    NOT NULL,
  PRIMARY KEY (channel_kind, channel_id, seq),
  UNIQUE KEY published (pub_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The last seq of a channel whose events were all pruned, so that its numbers go on.
CREATE TABLE channel_floors (
  channel_kind TINYINT UNSIGNED NOT NULL,
  channel_id   BIGINT UNSIGNED  NOT NULL,
  last_seq     BIGINT UNSIGNED  NOT NULL,
  PRIMARY KEY (channel_kind, channel_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row: which relay works. Taken by a guarded UPDATE, so it holds in a cluster too. state: what the relay wants known, '' for all well.
CREATE TABLE relay_lease (
  id         TINYINT UNSIGNED NOT NULL,
  holder     VARCHAR(255)     NOT NULL,
  expires_at DATETIME(6)      NOT NULL,
  last_pub_no BIGINT UNSIGNED NOT NULL,             -- of a log that was pruned empty
  state      VARCHAR(500)     NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO relay_lease (id, holder, expires_at, last_pub_no, state) VALUES (1, '', '2000-01-01', 0, '');

-- How far each push instance has been served, when, and by which of its nginx workers; where that stood at an earlier time; and up to
-- where it is beyond doubt. A relay that finds another worker there goes back to what was beyond doubt ten seconds before.
CREATE TABLE push_cursors (
  instance   VARCHAR(255)    NOT NULL,
  pub_no     BIGINT UNSIGNED NOT NULL,
  marked_no  BIGINT UNSIGNED NOT NULL,
  settled_no BIGINT UNSIGNED NOT NULL,
  at         DATETIME(6)     NOT NULL,
  marked_at  DATETIME(6)     NOT NULL,
  worker     VARCHAR(23)     NOT NULL,
  PRIMARY KEY (instance)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Notifications that a push instance refused for good (4xx): put aside, so that the others go on.
CREATE TABLE push_refusals (
  pub_no   BIGINT UNSIGNED   NOT NULL,
  instance VARCHAR(255)      NOT NULL,
  status   SMALLINT UNSIGNED NOT NULL,
  at       DATETIME(6)       NOT NULL,
  PRIMARY KEY (pub_no, instance)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
