/* shop_input.c - see shop_input.h. */
#include "shop_input.h"

#include "person.h"
#include "problem.h"

#define AT(member) .name = #member, .offset = offsetof(struct shop_input, member)
#define TEXT_MAX 1024		/* generous: person.c has the real bounds, and better sentences */
#define ZONE_MAX 64
#define NUMBER(member, least, most) { AT(member), .type = FIELD_INT, .nullable = true, .min = least, .max = most }

static const struct field fields[] = {
	{ AT(name), .type = FIELD_TEXT, .max = TEXT_MAX },
	{ AT(timezone), .type = FIELD_TEXT, .min = 1, .max = ZONE_MAX },
	{ AT(currency), .type = FIELD_TEXT, .max = TEXT_MAX },
	{ AT(address), .type = FIELD_TEXT, .nullable = true, .max = TEXT_MAX },
	{ AT(phone_number), .type = FIELD_TEXT, .nullable = true, .max = TEXT_MAX },
	{ AT(is_active), .type = FIELD_BOOL },
	{ AT(opening_hours), .type = FIELD_OBJECT, .nullable = true, .list = &hours_week_table },
	{ AT(exceptions), .type = FIELD_LIST, .nullable = true, .max = HOURS_EXCEPTIONS_MAX, .list = &hours_exception_table },
	NUMBER(lead_minutes, 0, 43200),
	NUMBER(max_days_ahead, 0, 3650),
	NUMBER(last_order_minutes, 0, 1440),
	NUMBER(slot_minutes, 1, 1440),
	NUMBER(slot_capacity, 0, 100000),
	NUMBER(accept_within_minutes, 1, 1440),
	NUMBER(default_preparation_minutes, 1, 1440),
	{ AT(auto_confirm), .type = FIELD_BOOL },
	{ AT(paused_until), .type = FIELD_TIME, .nullable = true },
	{ AT(pause_reason), .type = FIELD_TEXT, .nullable = true, .max = 200 },
	{ AT(pre_orders_while_paused), .type = FIELD_BOOL },
};
enum {
	F_NAME, F_TIMEZONE, F_CURRENCY, F_ADDRESS, F_PHONE, F_ACTIVE, F_HOURS, F_EXCEPTIONS, F_LEAD, F_DAYS, F_LAST, F_SLOT, F_CAPACITY,
	F_ACCEPT, F_PREPARATION, F_AUTO, F_PAUSED, F_REASON, F_PRE_ORDERS,
	FIELDS
};
_Static_assert(sizeof fields / sizeof *fields == FIELDS, "one bit a row");
#define FIRST_RULE F_HOURS

static const struct field_table table = { fields, FIELDS, sizeof(struct shop_input) };

static bool was_sent(const struct shop_input *in, unsigned field)
{
	return in->seen.present & UINT64_C(1) << field;
}

static bool was_null(const struct shop_input *in, unsigned field)
{
	return in->seen.nulls & UINT64_C(1) << field;
}

static void apply_rule(struct req *r, person_rule *rule, const struct shop_input *in, unsigned field, struct str *text, struct faults *f)
{
	const char *why;
	if (was_sent(in, field) && !rule(r->arena, *text, text, &why))
		fault_add(f, fields[field].name, "%s", why);
}

static void check_hours(struct req *r, struct shop_input *in, struct faults *f)
{
	struct buf week = BUF_IN(r->arena), exceptions = BUF_IN(r->arena);
	if (was_sent(in, F_HOURS)) {
		hours_print_week(&week, &in->opening_hours);
		in->week_text = buf_str(&week);
	}
	if (!was_sent(in, F_EXCEPTIONS) || in->exceptions.n == 0)
		return;
	if (!hours_exceptions_sort(in->exceptions.v, in->exceptions.n))
		fault_add(f, "exceptions", "must hold each date once");
	hours_print_exceptions(&exceptions, in->exceptions.v, in->exceptions.n);
	if (exceptions.len > HOURS_EXCEPTIONS_TEXT_MAX)
		fault_add(f, "exceptions", "must not be longer than %d bytes together, without white space", HOURS_EXCEPTIONS_TEXT_MAX);
	in->exceptions_text = buf_str(&exceptions);
}

enum outcome shop_input_read(struct req *r, bool is_new, struct shop_input *in)
{
	struct faults f = FAULTS_IN(r->arena);
	in->seen = body_fill(r->body, &table, in, &f);
	apply_rule(r, name_normalise, in, F_NAME, &in->name, &f);
	apply_rule(r, currency_check, in, F_CURRENCY, &in->currency, &f);
	apply_rule(r, address_normalise, in, F_ADDRESS, &in->address, &f);
	apply_rule(r, phone_normalise, in, F_PHONE, &in->phone_number, &f);
	if (was_sent(in, F_TIMEZONE) && !zone_exists(r->app->zones, in->timezone))
		fault_add(&f, "timezone", "must be a time zone's name, such as Asia/Kolkata");
	if (is_new && !body_has(r->body, "name"))
		fault_add(&f, "name", "is required");
	check_hours(r, in, &f);
	if (f.n == 0 && !in->seen.present && !in->seen.nulls)
		fault_add(&f, "name", "or another member must be given");
	return f.n ? problem_faults(r, &f) : OC_OK;
}

bool shop_input_has_rules(const struct shop_input *in)
{
	return (in->seen.present | in->seen.nulls) >> FIRST_RULE;
}

static void apply_text(const struct shop_input *in, unsigned field, struct str sent, struct str *to)
{
	if (was_sent(in, field))
		*to = sent;
	else if (was_null(in, field))
		*to = STR_NONE;
}

/* null switches a number off, whatever the settings' default is. */
static void apply_number(const struct shop_input *in, unsigned field, int64_t sent, int64_t *to)
{
	if (was_sent(in, field))
		*to = sent;
	else if (was_null(in, field))
		*to = RULE_OFF;
}

static void apply_pause(const struct shop_input *in, struct shop_rules *to, instant now)
{
	/* Or it would be shown as that of the next one. */
	if (to->paused_until != INSTANT_NONE && to->paused_until <= now)
		to->pause_reason = STR_NONE;
	apply_text(in, F_REASON, in->pause_reason, &to->pause_reason);
	if (was_sent(in, F_PRE_ORDERS))
		to->pre_orders_while_paused = in->pre_orders_while_paused;
	if (was_sent(in, F_PAUSED))
		to->paused_until = in->paused_until;
	if (was_null(in, F_PAUSED)) {
		to->paused_until = INSTANT_NONE;
		to->pause_reason = STR_NONE;
	}
}

void shop_input_apply(const struct shop_input *in, struct shop *s, instant now)
{
	struct shop_rules *to = &s->rules;
	apply_text(in, F_NAME, in->name, &s->name);
	apply_text(in, F_TIMEZONE, in->timezone, &s->timezone);
	apply_text(in, F_CURRENCY, in->currency, &s->currency);
	apply_text(in, F_ADDRESS, in->address, &s->address);
	apply_text(in, F_PHONE, in->phone_number, &s->phone_number);
	if (was_sent(in, F_ACTIVE))
		s->is_active = in->is_active;
	apply_text(in, F_HOURS, in->week_text, &to->opening_hours);
	apply_text(in, F_EXCEPTIONS, in->exceptions_text, &to->exceptions);
	apply_number(in, F_LEAD, in->lead_minutes, &to->lead_minutes);
	apply_number(in, F_DAYS, in->max_days_ahead, &to->max_days_ahead);
	apply_number(in, F_LAST, in->last_order_minutes, &to->last_order_minutes);
	apply_number(in, F_SLOT, in->slot_minutes, &to->slot_minutes);
	apply_number(in, F_CAPACITY, in->slot_capacity, &to->slot_capacity);
	apply_number(in, F_ACCEPT, in->accept_within_minutes, &to->accept_within_minutes);
	apply_number(in, F_PREPARATION, in->default_preparation_minutes, &to->default_preparation_minutes);
	if (was_sent(in, F_AUTO))
		to->auto_confirm = in->auto_confirm;
	apply_pause(in, to, now);
}
