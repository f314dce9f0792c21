/* terms.c - see terms.h. */
#include "terms.h"

#include "hours.h"
#include "log.h"

bool terms_have_defaults(const struct conf *c)
{
	return c->shop_lead_minutes || c->shop_max_days_ahead || c->shop_last_order_minutes || c->shop_slot_minutes || c->shop_slot_capacity
		|| c->shop_accept_within_minutes || c->shop_auto_confirm || c->shop_preparation_minutes;
}

/* The rule as a number; off where it is switched off. A setting of 0 switches off as well. */
static int64_t number(int64_t rule, int64_t setting, int64_t off)
{
	if (rule == RULE_UNSET)
		return setting ? setting : off;
	return rule == RULE_OFF ? off : rule;
}

enum outcome terms_of(struct app *app, struct arena *a, const struct shop *s, instant now, struct terms *out)
{
	const struct shop_rules *r = &s->rules;
	const struct conf *c = app->conf;
	struct hours hours;
	if (!hours_parse(a, r->opening_hours, r->exceptions, &hours)) {
		log_error("shop %llu has opening hours that are none", (unsigned long long)s->id.v);
		return OC_BAD;
	}
	*out = (struct terms){
		.calendar = {
			.zone = zone_get(app->zones, s->timezone), .is_always_open = !hours.has_week,
			.exceptions = hours.exceptions, .exception_count = hours.exception_count,
			.lead_minutes = (int)number(r->lead_minutes, c->shop_lead_minutes, 0),
			.max_days_ahead = (int)number(r->max_days_ahead, c->shop_max_days_ahead, -1),
			.last_order_minutes = (int)number(r->last_order_minutes, c->shop_last_order_minutes, 0),
			.slot_minutes = (int)number(r->slot_minutes, c->shop_slot_minutes, 0),
		},
		.slot_capacity = number(r->slot_capacity, c->shop_slot_capacity, -1),
		.paused_until = r->paused_until > now ? r->paused_until : INSTANT_NONE,
		.pre_orders_while_paused = r->pre_orders_while_paused,
		.accept_within_minutes = (int)number(r->accept_within_minutes, c->shop_accept_within_minutes, 0),
		.auto_confirm = r->auto_confirm == RULE_UNSET ? c->shop_auto_confirm : r->auto_confirm == 1,
		.default_preparation_minutes = (int)number(r->default_preparation_minutes, c->shop_preparation_minutes, 0),
	};
	for (size_t day = 0; day < 7; day++)
		out->calendar.week[day] = hours.week.days[day];
	return OC_OK;
}

bool terms_have_places(const struct terms *t)
{
	return t->calendar.slot_minutes > 0 && t->slot_capacity >= 0;
}
