-- 007: channels whose subscribers must come again and be judged anew: written in the transaction that takes somebody's right away, emptied by
-- the relay once every push instance has ended their connections.

CREATE TABLE channel_closes (
  id           BIGINT UNSIGNED  NOT NULL AUTO_INCREMENT,
  channel_kind TINYINT UNSIGNED NOT NULL,          -- 1 shop, 2 customer
  channel_id   BIGINT UNSIGNED  NOT NULL,
  at           DATETIME(6)      NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
