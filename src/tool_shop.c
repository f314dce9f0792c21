/* tool_shop.c - `pickup shop …` and `pickup product …`.
 * Owns: these verbs. Does not own: rules (person.c, money.c), rows (db_shop.c).
 * Used by: main.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "modes.h"
#include "arena.h"
#include "clock.h"
#include "db_account.h"
#include "db_shop.h"
#include "db_user.h"
#include "tool_opt.h"

#define PAGE 200
#define STOCK_MAX 2147483647	/* of the column */
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const yes_no[] = { "no", "yes", NULL };

struct shop_opts {
	uint64_t id, owner, before, limit;
	struct str name, timezone, currency, address, phone;
	int is_active;
};

#define SHOP_AT(member) .offset = offsetof(struct shop_opts, member)
#define SHOP_COMMON(required) \
	{ "owner", "ID", OPT_UINT, SHOP_AT(owner), .is_required = required, .min = 1, .max = OPT_ID_MAX, .help = "an active shopkeeper or admin" }, \
	{ "name", "N", OPT_TEXT, SHOP_AT(name), .is_required = required, .rule = name_normalise, .help = "1 to 120 characters" }, \
	{ "timezone", "Z", OPT_TEXT, SHOP_AT(timezone), .help = "IANA name, like Asia/Kolkata; a new shop's is UTC" }, \
	{ "currency", "C", OPT_TEXT, SHOP_AT(currency), .rule = currency_check, .help = "ISO 4217, three capital letters; a new shop's is INR" }, \
	{ "address", "A", OPT_TEXT, SHOP_AT(address), .is_clearable = true, .rule = address_normalise, .help = "up to 500 characters; \"\" for none" }, \
	{ "phone", "P", OPT_TEXT, SHOP_AT(phone), .is_clearable = true, .rule = phone_normalise, .help = "5 to 15 digits; \"\" for none" }
#define PAGE_OPTS(type) \
	{ "before", "ID", OPT_UINT, .offset = offsetof(type, before), .min = 1, .max = OPT_ID_MAX, .help = "only ids below" }, \
	{ "limit", "N", OPT_UINT, .offset = offsetof(type, limit), .min = 1, .max = UINT32_MAX, .help = "at most so many; without: all" }

static const struct opt shop_create_opts[] = { SHOP_COMMON(true) };
static const struct opt shop_list_opts[] = { PAGE_OPTS(struct shop_opts) };
static const struct opt shop_change_opts[] = {
	{ "ID", NULL, OPT_UINT, .is_operand = true, .is_required = true, SHOP_AT(id), .min = 1, .max = OPT_ID_MAX, .help = "the shop" },
	SHOP_COMMON(false),
	{ "active", NULL, OPT_WORD, SHOP_AT(is_active), .words = yes_no, .help = "no: takes no orders, stands in no list" },
};

/* The zone must be one that this machine can load. */
static void check_zone(struct call *c)
{
	const struct shop_opts *o = c->opts;
	const char *dir = c->conf && *c->conf->zoneinfo ? c->conf->zoneinfo : NULL;
	struct zone_cache *zones;

	if (!o->timezone.s)
		return;
	zones = zone_cache_new(dir);
	if (o->timezone.len > 64 || !zone_exists(zones, o->timezone))
		opt_fault(c, "timezone", "must be a time zone's name, like Asia/Kolkata");
	zone_cache_free(zones);
}

static struct str or_none(struct str s)
{
	return s.len ? s : STR_NONE;
}

static void apply_shop(const struct shop_opts *o, struct shop *s)
{
	if (o->owner != OPT_UINT_UNSET)
		s->owner_id.v = o->owner;
	if (o->name.s)
		s->name = o->name;
	if (o->timezone.s)
		s->timezone = o->timezone;
	if (o->currency.s)
		s->currency = o->currency;
	if (o->address.s)
		s->address = or_none(o->address);
	if (o->phone.s)
		s->phone_number = or_none(o->phone);
	if (o->is_active >= 0)
		s->is_active = o->is_active == 1;
}

/* A unit of work, and the sentence where it refuses; it may run more than once, so it prints nothing itself. */
struct work { struct call *call; uint64_t id; instant now; const char *why; };

static enum outcome refuse(struct work *w, const char *why)
{
	w->why = why;
	return OC_REFUSED;
}

static int ended(const struct work *w, enum outcome oc, const char *doing)
{
	if (oc == OC_OK)
		return 0;
	if (oc == OC_REFUSED)
		return tool_fail(EX_DATAERR, w->call->mode, "%s", w->why);
	return tool_fail_outcome(w->call->mode, oc, doing);
}

/* The owner that was asked for must be able to act on the shop. */
static enum outcome check_owner(struct db *db, struct work *w)
{
	const struct shop_opts *o = w->call->opts;
	struct arena *a = w->call->arena;
	struct user u;
	enum outcome oc;

	if (o->owner == OPT_UINT_UNSET)
		return OC_OK;
	oc = db_user_get(db, a, (struct user_id){ o->owner }, &u);
	if (oc == OC_NOT_FOUND)
		return refuse(w, arena_printf(a, "--owner: there is no user %" PRIu64, o->owner));
	if (oc != OC_OK)
		return oc;
	if (u.role == ROLE_CUSTOMER)
		return refuse(w, arena_printf(a, "--owner: user %" PRIu64 " is a customer; `pickup user change %" PRIu64 " --role shopkeeper` first",
			o->owner, o->owner));
	return u.is_active ? OC_OK : refuse(w, arena_printf(a, "--owner: user %" PRIu64 " is not active", o->owner));
}

static enum outcome shop_create_work(struct db *db, void *ctx)
{
	struct work *w = ctx;
	struct shop s = { .timezone = STR("UTC"), .currency = STR("INR"), .created_at = w->now, .updated_at = w->now };
	enum outcome oc = check_owner(db, w);

	if (oc != OC_OK)
		return oc;
	apply_shop(w->call->opts, &s);
	oc = db_shop_insert(db, &s);
	w->id = s.id.v;
	return oc;
}

/* "there is no shop 7" */
static enum outcome no_such(struct work *w, const char *where, const char *what, uint64_t id)
{
	return refuse(w, arena_printf(w->call->arena, "%s: there is no %s %" PRIu64, where, what, id));
}

static enum outcome shop_change_work(struct db *db, void *ctx)
{
	struct work *w = ctx;
	const struct shop_opts *o = w->call->opts;
	struct shop s;
	enum outcome oc = db_shop_get_locked(db, w->call->arena, (struct shop_id){ o->id }, &s);

	if (oc == OC_NOT_FOUND)
		return no_such(w, "ID", "shop", o->id);
	if (oc == OC_OK)
		oc = check_owner(db, w);
	if (oc != OC_OK)
		return oc;
	struct user_id owner = s.owner_id;
	apply_shop(o, &s);
	s.updated_at = w->now;
	oc = db_shop_update(db, &s);
	/* The former owner may be listening. */
	return oc == OC_OK && s.owner_id.v != owner.v ? db_close_channel(db, (struct channel){ CHANNEL_SHOP, s.id.v }, w->now) : oc;
}

static struct work work_of(struct call *c)
{
	struct clock clock = clock_system();

	return (struct work){ .call = c, .now = clock.now(&clock) };
}

static int shop_create(struct call *c)
{
	struct work w = work_of(c);
	int status = ended(&w, db_transact(c->db, shop_create_work, &w), "storing the shop");

	if (status == 0)
		printf("%" PRIu64 "\n", w.id);
	return status;
}

static int shop_change(struct call *c)
{
	struct work w = work_of(c);

	return ended(&w, db_transact(c->db, shop_change_work, &w), "changing the shop");
}

static void print_shop(struct arena *a, const struct shop *s)
{
	struct buf b = BUF_IN(a);

	buf_addf(&b, "%" PRIu64 "\t%" PRIu64 "\t", s->id.v, s->owner_id.v);
	cell_text(&b, s->name);
	cell_text(&b, s->timezone);
	cell_text(&b, s->currency);
	cell_text(&b, s->address);
	cell_text(&b, s->phone_number);
	cell_yes(&b, s->is_active);
	cell_time(&b, s->created_at);
	cell_time(&b, s->updated_at);
	cell_end(&b);
	fwrite(b.s, 1, b.len, stdout);
}

/* Where a list goes on, and how much may still come. */
struct paging { uint64_t before, left; };

static struct paging paging_of(uint64_t before, uint64_t limit)
{
	return (struct paging){ before == OPT_UINT_UNSET ? 0 : before, limit };
}

static int shop_list(struct call *c)
{
	const struct shop_opts *o = c->opts;
	struct paging at = paging_of(o->before, o->limit);
	struct arena *a = arena_new();
	enum outcome oc = OC_OK;

	puts("id\towner_id\tname\ttimezone\tcurrency\taddress\tphone_number\tis_active\tcreated_at\tupdated_at");
	for (size_t n = PAGE; oc == OC_OK && n == PAGE && at.left > 0 && !ferror(stdout); ) {
		struct shop *v = NULL;
		arena_reset(a);
		oc = db_shop_list_all(c->db, a, (struct shop_id){ at.before }, at.left < PAGE ? at.left : PAGE, &v, &n);
		for (size_t i = 0; oc == OC_OK && i < n; i++) {
			print_shop(a, &v[i]);
			at.before = v[i].id.v;
		}
		at.left -= n < at.left ? n : at.left;
	}
	arena_free(a);
	return oc == OC_OK ? 0 : tool_fail_outcome(c->mode, oc, "listing shops");
}

int mode_shop(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "create", "Creates a shop and prints its id.", shop_create_opts, COUNT(shop_create_opts), .check = check_zone, .run = shop_create },
		{ "list", "Lists shops, newest first: a line of column names, then one a shop, tab-separated.", shop_list_opts,
			COUNT(shop_list_opts), .run = shop_list },
		{ "change", "Changes what is given and leaves the rest.", shop_change_opts, COUNT(shop_change_opts), .wants_change = true,
			.check = check_zone, .run = shop_change },
	};
	static const struct verbs t = { "shop", "Shops.", verbs, COUNT(verbs), sizeof(struct shop_opts) };

	return opt_run(&t, argc, argv);
}

/* products */

struct product_opts {
	uint64_t id, shop, before, limit;
	struct str name, stock, unit, description;
	money price;
	int is_active;
};

static bool stock_rule(struct arena *a, struct str in, struct str *out, const char **why)
{
	uint64_t v;

	(void)a;
	*why = "must be a whole number from 0 to 2147483647, or none (not counted)";
	if (!str_is(in, "none") && !str_to_uint(in, STOCK_MAX, &v))
		return false;
	*out = in;
	return true;
}

#define PRODUCT_AT(member) .offset = offsetof(struct product_opts, member)
#define PRODUCT_SHOP { "shop", "ID", OPT_UINT, PRODUCT_AT(shop), .is_required = true, .min = 1, .max = OPT_ID_MAX, .help = "whose" }
#define PRODUCT_COMMON(required) \
	{ "name", "N", OPT_TEXT, PRODUCT_AT(name), .is_required = required, .rule = name_normalise, .help = "1 to 120 characters" }, \
	{ "price", "AMOUNT", OPT_MONEY, PRODUCT_AT(price), .is_required = required, .help = "in the shop's currency, like 12.50" }, \
	{ "stock", "N|none", OPT_TEXT, PRODUCT_AT(stock), .rule = stock_rule, .help = "how many there are; none: not counted, as in a new product" }, \
	{ "unit", "U", OPT_TEXT, PRODUCT_AT(unit), .is_clearable = true, .rule = unit_normalise, .help = "like kg, up to 20 characters; \"\" for none" }, \
	{ "description", "D", OPT_TEXT, PRODUCT_AT(description), .is_clearable = true, .rule = description_normalise, \
		.help = "up to 1000 characters; \"\" for none" }

static const struct opt product_create_opts[] = { PRODUCT_SHOP, PRODUCT_COMMON(true) };
static const struct opt product_list_opts[] = { PRODUCT_SHOP, PAGE_OPTS(struct product_opts) };
static const struct opt product_change_opts[] = {
	{ "ID", NULL, OPT_UINT, .is_operand = true, .is_required = true, PRODUCT_AT(id), .min = 1, .max = OPT_ID_MAX, .help = "the product" },
	PRODUCT_COMMON(false),
	{ "active", NULL, OPT_WORD, PRODUCT_AT(is_active), .words = yes_no, .help = "no: not on sale" },
};

static void apply_product(const struct product_opts *o, struct product *p)
{
	uint64_t stock = 0;

	if (o->name.s)
		p->name = o->name;
	if (o->price >= 0)
		p->price = o->price;
	if (o->stock.s) {
		p->is_counted = str_to_uint(o->stock, STOCK_MAX, &stock);
		p->stock = (int64_t)stock;
	}
	if (o->unit.s)
		p->unit = or_none(o->unit);
	if (o->description.s)
		p->description = or_none(o->description);
	if (o->is_active >= 0)
		p->is_active = o->is_active == 1;
}

static enum outcome check_shop(struct db *db, struct work *w)
{
	const struct product_opts *o = w->call->opts;
	struct shop s;
	enum outcome oc = db_shop_get(db, w->call->arena, (struct shop_id){ o->shop }, &s);

	return oc == OC_NOT_FOUND ? no_such(w, "--shop", "shop", o->shop) : oc;
}

static enum outcome product_create_work(struct db *db, void *ctx)
{
	struct work *w = ctx;
	const struct product_opts *o = w->call->opts;
	struct product p = { .shop_id = { o->shop }, .created_at = w->now, .updated_at = w->now };
	enum outcome oc = check_shop(db, w);

	if (oc != OC_OK)
		return oc;
	apply_product(o, &p);
	oc = db_product_insert(db, &p);
	w->id = p.id.v;
	return oc;
}

static enum outcome product_change_work(struct db *db, void *ctx)
{
	struct work *w = ctx;
	const struct product_opts *o = w->call->opts;
	struct product p;
	enum outcome oc = db_product_get(db, w->call->arena, (struct product_id){ o->id }, &p);

	if (oc == OC_NOT_FOUND)
		return no_such(w, "ID", "product", o->id);
	if (oc != OC_OK)
		return oc;
	apply_product(o, &p);
	p.updated_at = w->now;
	return db_product_update(db, &p, o->stock.s != NULL);
}

static int product_create(struct call *c)
{
	struct work w = work_of(c);
	int status = ended(&w, db_transact(c->db, product_create_work, &w), "storing the product");

	if (status == 0)
		printf("%" PRIu64 "\n", w.id);
	return status;
}

static int product_change(struct call *c)
{
	struct work w = work_of(c);

	return ended(&w, db_transact(c->db, product_change_work, &w), "changing the product");
}

static void print_product(struct arena *a, const struct product *p)
{
	struct buf b = BUF_IN(a);
	char price[24];

	money_to_decimal(price, p->price);
	buf_addf(&b, "%" PRIu64 "\t%" PRIu64 "\t", p->id.v, p->shop_id.v);
	cell_text(&b, p->name);
	cell_text(&b, str_from(price));
	cell_text(&b, p->is_counted ? str_from(arena_printf(a, "%" PRId64, p->stock)) : STR("none"));
	cell_text(&b, p->unit);
	cell_text(&b, p->description);
	cell_yes(&b, p->is_active);
	cell_time(&b, p->created_at);
	cell_time(&b, p->updated_at);
	cell_end(&b);
	fwrite(b.s, 1, b.len, stdout);
}

static enum outcome list_products(struct call *c, struct arena *a)
{
	const struct product_opts *o = c->opts;
	struct paging at = paging_of(o->before, o->limit);
	enum outcome oc = OC_OK;

	puts("id\tshop_id\tname\tprice\tstock\tunit\tdescription\tis_active\tcreated_at\tupdated_at");
	for (size_t n = PAGE; oc == OC_OK && n == PAGE && at.left > 0 && !ferror(stdout); ) {
		struct product *v = NULL;
		arena_reset(a);
		oc = db_product_list(c->db, a, (struct shop_id){ o->shop }, (struct product_id){ at.before }, true,
			at.left < PAGE ? at.left : PAGE, &v, &n);
		for (size_t i = 0; oc == OC_OK && i < n; i++) {
			print_product(a, &v[i]);
			at.before = v[i].id.v;
		}
		at.left -= n < at.left ? n : at.left;
	}
	return oc;
}

static int product_list(struct call *c)
{
	struct work w = work_of(c);
	struct arena *a = arena_new();
	enum outcome oc = check_shop(c->db, &w);

	if (oc == OC_OK)
		oc = list_products(c, a);
	arena_free(a);
	return ended(&w, oc, "listing products");
}

int mode_product(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "create", "Creates a product and prints its id.", product_create_opts, COUNT(product_create_opts), .run = product_create },
		{ "list", "Lists a shop's products, newest first: a line of column names, then one a product, tab-separated.", product_list_opts,
			COUNT(product_list_opts), .run = product_list },
		{ "change", "Changes what is given and leaves the rest.", product_change_opts, COUNT(product_change_opts),
			.wants_change = true, .run = product_change },
	};
	static const struct verbs t = { "product", "Products of a shop.", verbs, COUNT(verbs), sizeof(struct product_opts) };

	return opt_run(&t, argc, argv);
}
