/* zones.h - all zones of this host, one after the other.
 * Owns: for_each_zone(). Used by: test_zone.c, test_calendar_zones.c. */
#ifndef PICKUP_T_ZONES_H
#define PICKUP_T_ZONES_H

#include <stdio.h>

/* The names in zone.tab or zone1970.tab, which every set of zone data has; calls fn with each. */
static inline size_t for_each_zone(void (*fn)(const char *name, void *ctx), void *ctx)
{
	FILE *f = fopen("/usr/share/zoneinfo/zone.tab", "r");
	char line[1024], name[256];
	size_t n = 0;

	if (!f)
		f = fopen("/usr/share/zoneinfo/zone1970.tab", "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (line[0] != '#' && sscanf(line, "%*s %*s %255s", name) == 1) {
			fn(name, ctx);
			n++;
		}
	fclose(f);
	return n;
}

#endif
