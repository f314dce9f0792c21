/* timefmt.c - instants, RFC 3339, dates and times of day.
 * Owns: civil dates, parsing and printing dates and times. Does not own: zones (zone.c), what time it is (clock.c). Pure.
 * Used by: everything that reads or prints a time. */
#include <string.h>

#include "timefmt.h"

#define DAY_SECONDS INT64_C(86400)
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z */
#define INSTANT_FIRST (INT64_C(-62135596800) * INSTANT_SECOND)
#define INSTANT_LAST (INT64_C(253402300800) * INSTANT_SECOND - 1)
#define DATE_FIRST (INSTANT_FIRST / INSTANT_SECOND / DAY_SECONDS)
#define DATE_LAST (INSTANT_LAST / INSTANT_SECOND / DAY_SECONDS)

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return a % b < 0 ? q - 1 : q;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
	static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day is a year's last; 400 of them have 146,097 days. */
int64_t civil_to_days(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t era = floor_div(days + 719468, 146097);
	unsigned day_of_era = (unsigned)(days + 719468 - era * 146097);
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned m = (5 * day_of_year + 2) / 153;	/* from March */

	*day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(era * 400) + (int)year_of_era + (m >= 10);
}

static bool in_range(int v, int min, int max)
{
	return v >= min && v <= max;
}

static bool date_exists(int year, int month, int day)
{
	return in_range(year, 1, 9999) && in_range(month, 1, 12) && in_range(day, 1, days_in_month(year, month));
}

bool time_from_wall(const struct wall *w, int offset_seconds, instant *out)
{
	int64_t t;

	if (!date_exists(w->year, w->month, w->day) || !in_range(w->hour, 0, 23)
	    || !in_range(w->minute, 0, 59) || !in_range(w->second, 0, 60) || !in_range(w->usec, 0, 999999))
		return false;
	t = civil_to_days(w->year, w->month, w->day) * DAY_SECONDS + w->hour * 3600 + w->minute * 60 + w->second;
	t = (t - offset_seconds) * INSTANT_SECOND + w->usec;
	if (t < INSTANT_FIRST || t > INSTANT_LAST)
		return false;
	*out = t;
	return true;
}

void time_to_wall(instant t, int offset_seconds, struct wall *w)
{
	int64_t seconds = floor_div(t, INSTANT_SECOND);
	int64_t local = seconds + offset_seconds, days = floor_div(local, DAY_SECONDS);
	int second_of_day = (int)(local - days * DAY_SECONDS);

	civil_from_days(days, &w->year, &w->month, &w->day);
	w->hour = second_of_day / 3600;
	w->minute = second_of_day / 60 % 60;
	w->second = second_of_day % 60;
	w->usec = (int)(t - seconds * INSTANT_SECOND);
}

/* What is left of a text that is read from its start. */
struct reader { const char *p, *end; };

static bool read_digits(struct reader *r, int n, int *out)
{
	int v = 0;

	if (r->end - r->p < n)
		return false;
	for (; n > 0; n--, r->p++) {
		if (*r->p < '0' || *r->p > '9')
			return false;
		v = v * 10 + (*r->p - '0');
	}
	*out = v;
	return true;
}

/* One character of set, which goes to *out (may be NULL). */
static bool read_one(struct reader *r, const char *set, char *out)
{
	if (r->p == r->end || *r->p == '\0' || !strchr(set, *r->p))
		return false;
	if (out)
		*out = *r->p;
	r->p++;
	return true;
}

static bool read_fraction(struct reader *r, int *usec)
{
	int digit, weight = 100000;

	*usec = 0;
	if (!read_one(r, ".", NULL))
		return true;
	if (!read_digits(r, 1, &digit))
		return false;
	do {
		*usec += digit * weight;
		weight /= 10;
	} while (read_digits(r, 1, &digit));
	return true;
}

static bool read_offset(struct reader *r, int *seconds)
{
	int hours, minutes;
	char sign;

	*seconds = 0;
	if (read_one(r, "Zz", NULL))
		return true;
	if (!read_one(r, "+-", &sign) || !read_digits(r, 2, &hours) || !read_one(r, ":", NULL) || !read_digits(r, 2, &minutes))
		return false;
	*seconds = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
	return hours <= 23 && minutes <= 59;
}

static bool read_date(struct reader *r, int *year, int *month, int *day)
{
	return read_digits(r, 4, year) && read_one(r, "-", NULL) && read_digits(r, 2, month) && read_one(r, "-", NULL) && read_digits(r, 2, day);
}

bool time_parse(struct str s, instant *out)
{
	struct reader r;
	struct wall w;
	int offset;

	if (!s.s)
		return false;
	r = (struct reader){ s.s, s.s + s.len };
	if (!read_date(&r, &w.year, &w.month, &w.day) || !read_one(&r, "Tt", NULL))
		return false;
	if (!read_digits(&r, 2, &w.hour) || !read_one(&r, ":", NULL) || !read_digits(&r, 2, &w.minute)
	    || !read_one(&r, ":", NULL) || !read_digits(&r, 2, &w.second) || !read_fraction(&r, &w.usec))
		return false;
	return read_offset(&r, &offset) && r.p == r.end && time_from_wall(&w, offset, out);
}

bool date_parse(struct str s, int64_t *days)
{
	int year, month, day;
	struct reader r;

	if (!s.s)
		return false;
	r = (struct reader){ s.s, s.s + s.len };
	if (!read_date(&r, &year, &month, &day) || r.p != r.end || !date_exists(year, month, day))
		return false;
	*days = civil_to_days(year, month, day);
	return true;
}

bool time_of_day_parse(struct str s, int *minutes)
{
	struct reader r;
	int hour, minute;

	if (!s.s)
		return false;
	r = (struct reader){ s.s, s.s + s.len };
	if (!read_digits(&r, 2, &hour) || !read_one(&r, ":", NULL) || !read_digits(&r, 2, &minute) || r.p != r.end)
		return false;
	if (minute > 59 || hour * 60 + minute > 1440)
		return false;
	*minutes = hour * 60 + minute;
	return true;
}

static char *put_date(char *p, int year, int month, int day)
{
	p = put_pair(put_pair(p, (unsigned)year / 100), (unsigned)year % 100);
	*p++ = '-';
	p = put_pair(p, (unsigned)month);
	*p++ = '-';
	return put_pair(p, (unsigned)day);
}

void date_print(struct buf *b, int64_t days)
{
	char text[sizeof "2026-02-26" - 1];
	int year, month, day;

	days = days < DATE_FIRST ? DATE_FIRST : days > DATE_LAST ? DATE_LAST : days;
	civil_from_days(days, &year, &month, &day);
	put_date(text, year, month, day);
	buf_add(b, text, sizeof text);
}

static char *put_wall(char *p, const struct wall *w)
{
	p = put_date(p, w->year, w->month, w->day);
	*p++ = 'T';
	p = put_pair(p, (unsigned)w->hour);
	*p++ = ':';
	p = put_pair(p, (unsigned)w->minute);
	*p++ = ':';
	return put_pair(p, (unsigned)w->second);
}

void time_print(struct buf *b, instant t, const struct zone *z)
{
	int minutes = (int)floor_div(zone_offset_at(z, t) + 30, 60);
	struct wall w;
	char text[sizeof "2026-02-26T17:00:00+05:30" - 1], *p;

	t = t < INSTANT_FIRST ? INSTANT_FIRST : t > INSTANT_LAST ? INSTANT_LAST : t;
	time_to_wall(t, minutes * 60, &w);
	if (!in_range(w.year, 1, 9999)) {
		/* Only in UTC do the first and last hours have a four-digit year. */
		minutes = 0;
		time_to_wall(t, 0, &w);
	}
	p = put_wall(text, &w);
	*p++ = minutes < 0 ? '-' : '+';
	if (minutes < 0)
		minutes = -minutes;
	p = put_pair(p, (unsigned)minutes / 60);
	*p++ = ':';
	put_pair(p, (unsigned)minutes % 60);
	buf_add(b, text, sizeof text);
}

void time_to_json(struct buf *b, instant t, const struct zone *z)
{
	if (t == INSTANT_NONE) {
		buf_addstr(b, STR("null"));
		return;
	}
	buf_addc(b, '"');
	time_print(b, t, z);
	buf_addc(b, '"');
}
