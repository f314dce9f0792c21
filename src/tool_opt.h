/* tool_opt.h - options of the command-line verbs: one table of options a verb drives parsing, --help and the faults.
 * Owns: parsing, help texts, running a verb with settings and a connection, cells of printed tables. Does not own: what a verb does.
 * Used by: tool_user.c, tool_shop.c, tool_check.c. */
#ifndef PICKUP_TOOL_OPT_H
#define PICKUP_TOOL_OPT_H

#include "conf.h"
#include "db.h"
#include "person.h"
#include "tool.h"

enum opt_kind {
	OPT_FLAG,	/* bool; takes no value; not given: false */
	OPT_TEXT,	/* struct str, borrowed or arena, as rule gives it; not given: none; given as "" where clearable: empty */
	OPT_UINT,	/* uint64_t, min..max; not given: OPT_UINT_UNSET */
	OPT_WORD,	/* int, index in words; not given: -1 */
	OPT_MONEY,	/* money; not given: -1 */
	OPT__MAX
};
#define OPT_UINT_UNSET UINT64_MAX
#define OPT_ID_MAX ((uint64_t)INT64_MAX)

/* One option, or the verb's one operand. */
struct opt {
	const char *name;		/* "phone" for --phone */
	const char *value;		/* what --help calls the value; WORD: made from the words */
	enum opt_kind kind;
	bool is_operand;		/* stands without a name: `change ID` */
	bool is_required;
	bool is_clearable;		/* TEXT: "" is no fault, it takes the value away */
	size_t offset;			/* of the target in the verb's struct */
	uint64_t min, max;		/* UINT */
	const char *const *words;	/* WORD: NULL-terminated */
	person_rule *rule;		/* TEXT: NULL takes any */
	const char *help;		/* one line */
};

/* A verb as it was called. */
struct call {
	const char *mode;		/* "user create", for messages */
	const struct verb *verb;
	struct arena *arena;
	const char *params;		/* --params, or NULL */
	void *opts;			/* the verb's struct */
	unsigned faults;		/* so many were printed */
	const struct conf *conf;	/* NULL while there are no settings */
	struct db *db;			/* connects at its first use */
};

struct verb {
	const char *name;		/* "create"; NULL: the mode has one verb, which isn't named */
	const char *help;		/* one line */
	const struct opt *opts;
	size_t n;
	bool wants_change;		/* at least one option but the operand must be given */
	void (*check)(struct call *c);	/* further faults, told with opt_fault; conf may be NULL; may be NULL itself */
	int (*run)(struct call *c);	/* gives the exit status */
	bool makes_tables;		/* the others are not run without all that the program knows */
};
/* size: of the struct that the verbs' options fill. All verbs also take --params and --help. */
struct verbs { const char *mode, *help; const struct verb *v; size_t n; size_t size; };

/* Parses argv (argv[0] is the mode's name) into *c, whose arena is set; every fault is printed, as "pickup MODE VERB: --phone: must …".
 * -1: go on (c->faults may be above 0); else the exit status to end with: 0 after --help, 64 where there is no such verb. */
must_check int opt_parse(const struct verbs *t, int argc, char **argv, struct call *c);
/* Parses, reads the settings, checks, runs the verb, frees everything. The exit status. */
int opt_run(const struct verbs *t, int argc, char **argv);
/* Prints one fault of the option of that name. */
void opt_fault(struct call *c, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Writes what is printed so far; status, or 74 where standard output takes no more. */
int opt_flush(const char *mode, int status);

/* Cells of a table: tabs, newlines, backslashes and control characters are escaped (\t, \n, \\, \xNN), none is empty. */
void cell_text(struct buf *b, struct str s);
void cell_yes(struct buf *b, bool yes);
void cell_time(struct buf *b, instant t);	/* RFC 3339, UTC */
void cell_end(struct buf *b);			/* ends a row: the last tab becomes a newline */

#endif
