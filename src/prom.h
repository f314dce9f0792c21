/* prom.h - Prometheus' text format, version 0.0.4: families and their samples.
 * Owns: the form, its escaping. Does not own: what is told (ep_metrics*.c). */
#ifndef PICKUP_PROM_H
#define PICKUP_PROM_H

#include "str.h"

#define PROM_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Begins a family, all samples of which follow: "counter", "gauge" or "histogram". help: a line without backslash. */
void prom_family(struct buf *b, const char *name, const char *type, const char *help);
/* Begins a sample: prom_label()s, then one of the values. suffix: "" or a histogram's. */
void prom_sample(struct buf *b, const char *name, const char *suffix);
/* value may be anybody's text. */
void prom_label(struct buf *b, const char *name, struct str value);
void prom_count(struct buf *b, uint64_t value);
/* Microseconds, told in seconds. */
void prom_seconds(struct buf *b, uint64_t us);
/* A family of one sample without labels. */
void prom_one(struct buf *b, const char *name, const char *type, const char *help, uint64_t value);

#endif
