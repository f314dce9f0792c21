/* ids.h - ids of different things are different types, so that swapped arguments do not compile.
 * Owns: the one-member structs. Used by: everything that passes an id. 0 is never a valid id. */
#ifndef PICKUP_IDS_H
#define PICKUP_IDS_H

#include <stdint.h>

struct user_id { uint64_t v; };
struct shop_id { uint64_t v; };
struct product_id { uint64_t v; };
struct order_id { uint64_t v; };

#endif
