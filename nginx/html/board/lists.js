// lists.js - which orders the board asks for first.

export const OPEN = ["pending", "confirmed", "preparing", "ready"];

export const openOrders = (shop) => `/orders/shop/${shop}?${OPEN.map((status) => `status=${status}`).join("&")}&limit=200`;
