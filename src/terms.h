/* terms.h - what a shop's rules come to at this moment: its own, the settings' defaults where it has set none, its zone.
 * Owns: which of these holds. Does not own: rows (db_shop.c), what a calendar allows (calendar.c), who is refused how (gate.c).
 * Used by: gate.c, endpoints of shops and orders, render.c. */
#ifndef PICKUP_TERMS_H
#define PICKUP_TERMS_H

#include "app.h"
#include "calendar.h"
#include "db_shop.h"

struct terms {
	struct calendar calendar;
	int64_t slot_capacity;		/* orders a slot; -1 for no limit */
	instant paused_until;		/* INSTANT_NONE: not paused now */
	bool pre_orders_while_paused;
	int accept_within_minutes;	/* 0 for none */
	bool auto_confirm;
	int default_preparation_minutes;	/* 0 for none */
};

/* Whether a shop that has no rules of its own has some all the same. */
bool terms_have_defaults(const struct conf *c);
/* Borrows from s, and memory from a. OC_BAD (logged): the row holds hours that no request could have set. */
must_check enum outcome terms_of(struct app *app, struct arena *a, const struct shop *s, instant now, struct terms *out);
/* Whether slots limit the orders. */
bool terms_have_places(const struct terms *t);

#endif
