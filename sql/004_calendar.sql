-- 004: a shop's calendar and its kitchen, deadlines of orders, why an order was cancelled.

-- A NULL here has never been set: the defaults of pickup.params hold. -1 in a number: switched off by the shop, whatever the defaults are.
ALTER TABLE shops
  ADD COLUMN has_rules                   TINYINT        NOT NULL DEFAULT 0,  -- any of the following was set: placing looks at them only then
  ADD COLUMN opening_hours               MEDIUMTEXT     COLLATE utf8mb4_bin NULL,  -- JSON as the API takes it; NULL: always open
  ADD COLUMN exceptions                  MEDIUMTEXT     COLLATE utf8mb4_bin NULL,  -- likewise
  ADD COLUMN lead_minutes                INT            NULL,
  ADD COLUMN max_days_ahead              INT            NULL,
  ADD COLUMN last_order_minutes          INT            NULL,
  ADD COLUMN slot_minutes                INT            NULL,
  ADD COLUMN slot_capacity               INT            NULL,
  ADD COLUMN paused_until                DATETIME(6)    NULL,
  ADD COLUMN pause_reason                VARCHAR(200)   NULL,
  ADD COLUMN pre_orders_while_paused     TINYINT        NOT NULL DEFAULT 0,
  ADD COLUMN accept_within_minutes       INT            NULL,
  ADD COLUMN auto_confirm                TINYINT        NULL,
  ADD COLUMN default_preparation_minutes INT            NULL;

ALTER TABLE orders
  ADD COLUMN accept_by     DATETIME(6)  NULL,
  ADD COLUMN cancelled_by  VARCHAR(20)  COLLATE utf8mb4_bin NULL,  -- shopkeeper, system
  ADD COLUMN cancel_reason VARCHAR(200) NULL;

-- How many orders a slot holds is counted here, whatever the shop's slots were when they were placed.
ALTER TABLE orders ADD KEY shop_pickup (shop_id, scheduled_pickup_time, status);

-- Orders that must be confirmed in time. A row goes when its time has come, whatever has become of the order.
CREATE TABLE order_deadlines (
  order_id  BIGINT UNSIGNED NOT NULL,
  accept_by DATETIME(6)     NOT NULL,
  PRIMARY KEY (order_id),
  KEY due (accept_by)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
