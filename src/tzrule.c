/* tzrule.c - POSIX TZ rules.
 * Owns: parsing and applying them. Does not own: the transitions that a file lists (zone.c). Pure.
 * Used by: zone.c. */
#include "tzrule.h"
#include "timefmt.h"

#define DAY_SECONDS 86400
#define HOUR_SECONDS 3600
#define DEFAULT_SECONDS (2 * HOUR_SECONDS)

struct reader { const char *p, *end; };

static bool read_char(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* One to three digits. */
static bool read_number(struct reader *r, int min, int max, int *out)
{
	const char *start = r->p;
	int v = 0;

	while (r->p < r->end && r->p - start < 3 && *r->p >= '0' && *r->p <= '9')
		v = v * 10 + (*r->p++ - '0');
	*out = v;
	return r->p > start && v >= min && v <= max;
}

static bool is_name_char(char c, bool quoted)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
		|| (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
}

/* At least three letters, or three letters, digits and signs in angle brackets; nobody needs the name itself. */
static bool skip_name(struct reader *r)
{
	bool quoted = read_char(r, '<');
	const char *start = r->p;

	while (r->p < r->end && is_name_char(*r->p, quoted))
		r->p++;
	return r->p - start >= 3 && (!quoted || read_char(r, '>'));
}

/* [+-]h[h[h]][:mm[:ss]] as seconds. */
static bool read_time(struct reader *r, int hours_max, int *out)
{
	bool negative = read_char(r, '-');
	int hours, minutes = 0, seconds = 0;

	if (!negative)
		(void)read_char(r, '+');
	if (!read_number(r, 0, hours_max, &hours))
		return false;
	if (read_char(r, ':')) {
		if (!read_number(r, 0, 59, &minutes))
			return false;
		if (read_char(r, ':') && !read_number(r, 0, 59, &seconds))
			return false;
	}
	*out = hours * HOUR_SECONDS + minutes * 60 + seconds;
	if (negative)
		*out = -*out;
	return true;
}

static bool read_day(struct reader *r, struct tz_day *d)
{
	bool ok;

	*d = (struct tz_day){ .seconds = DEFAULT_SECONDS };
	if (read_char(r, 'M')) {
		d->kind = TZ_DAY_OF_WEEK;
		ok = read_number(r, 1, 12, &d->month) && read_char(r, '.') && read_number(r, 1, 5, &d->week)
			&& read_char(r, '.') && read_number(r, 0, 6, &d->weekday);
	} else if (read_char(r, 'J')) {
		d->kind = TZ_DAY_JULIAN;
		ok = read_number(r, 1, 365, &d->n);
	} else {
		d->kind = TZ_DAY_OF_YEAR;
		ok = read_number(r, 0, 365, &d->n);
	}
	return ok && (!read_char(r, '/') || read_time(r, 167, &d->seconds));
}

bool tz_rule_parse(struct str s, struct tz_rule *out)
{
	struct tz_rule rule = { 0 };
	struct reader r;
	int west;

	if (!s.s)
		return false;
	r = (struct reader){ s.s, s.s + s.len };
	if (!skip_name(&r) || !read_time(&r, 24, &west))
		return false;
	rule.standard = -west;
	if (r.p < r.end) {
		rule.has_daylight = true;
		rule.daylight = rule.standard + HOUR_SECONDS;
		if (!skip_name(&r))
			return false;
		if (r.p < r.end && *r.p != ',') {
			if (!read_time(&r, 24, &west))
				return false;
			rule.daylight = -west;
		}
		if (!read_char(&r, ',') || !read_day(&r, &rule.start) || !read_char(&r, ',') || !read_day(&r, &rule.end))
			return false;
	}
	if (r.p != r.end)
		return false;
	*out = rule;
	return true;
}

/* Days since 1970-01-01 of the day in that year. */
static int64_t day_in_year(const struct tz_day *d, int year)
{
	int64_t first = civil_to_days(year, 1, 1), day;
	int weekday;
	bool leap;

	if (d->kind == TZ_DAY_OF_YEAR)
		return first + d->n;
	if (d->kind == TZ_DAY_JULIAN) {
		leap = civil_to_days(year + 1, 1, 1) - first == 366;
		return first + d->n - 1 + (leap && d->n >= 60);
	}
	first = civil_to_days(year, d->month, 1);
	weekday = (int)(((first + 4) % 7 + 7) % 7);	/* 1970-01-01 was a Thursday */
	day = first + (d->weekday - weekday + 7) % 7 + 7 * (d->week - 1);
	if (d->week == 5 && day >= (d->month == 12 ? civil_to_days(year + 1, 1, 1) : civil_to_days(year, d->month + 1, 1)))
		day -= 7;
	return day;
}

static int64_t change_in_year(const struct tz_day *d, int year, int offset_before)
{
	return day_in_year(d, year) * DAY_SECONDS + d->seconds - offset_before;
}

struct latest { int64_t at; int offset; };

/* Of two changes at the same second the one that comes in later wins: "EST5EDT,0/0,J365/25" is daylight time always, ending as it starts. */
static void consider(struct latest *l, int64_t change, int offset, int64_t seconds)
{
	if (change <= seconds && change >= l->at)
		*l = (struct latest){ change, offset };
}

/* The latest change up to that second decides. Changes may stand a week outside their year, so near its ends the year beside counts too. */
int tz_rule_offset(const struct tz_rule *r, int64_t seconds)
{
	int64_t local = seconds + r->standard;
	struct latest l = { INT64_MIN, r->standard };
	int year, month, day, first, last;

	if (!r->has_daylight)
		return r->standard;
	civil_from_days(local / DAY_SECONDS - (local % DAY_SECONDS < 0), &year, &month, &day);
	first = month == 1 && day <= 10 ? year - 1 : year;
	last = month == 12 && day > 20 ? year + 1 : year;
	for (int y = first; y <= last; y++) {
		int64_t start = change_in_year(&r->start, y, r->standard), end = change_in_year(&r->end, y, r->daylight);

		/* Before a year's first change holds what its second one leads to. */
		if (y == first && end < start)
			l.offset = r->daylight;
		consider(&l, start, r->daylight, seconds);
		consider(&l, end, r->standard, seconds);
	}
	return l.offset;
}
