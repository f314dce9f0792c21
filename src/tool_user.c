/* tool_user.c - `pickup user …` and `pickup token …`.
 * Owns: these verbs. Does not own: rules (person.c), rows (db_user.c), tokens (jwt.c).
 * Used by: main.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "modes.h"
#include "arena.h"
#include "clock.h"
#include "db_account.h"
#include "db_user.h"
#include "jwt.h"
#include "passwd.h"
#include "poke.h"
#include "tool_opt.h"

#define PAGE 200

static const char *const yes_no[] = { "no", "yes", NULL };

struct user_opts {
	uint64_t id, after, limit;
	struct str name, phone, email;
	int role, is_active;
	bool has_password;
};

#define AT(member) .offset = offsetof(struct user_opts, member)
#define NAME(required) { "name", "N", OPT_TEXT, AT(name), .is_required = required, .rule = name_normalise, .help = "full name, 1 to 120 characters" }
#define PHONE(required) { "phone", "P", OPT_TEXT, AT(phone), .is_required = required, .rule = phone_normalise, \
	.help = "5 to 15 digits, perhaps with a leading +; signs in with it" }
#define ROLE(required) { "role", NULL, OPT_WORD, AT(role), .is_required = required, .words = role_words, .help = "what the user may do" }
#define EMAIL { "email", "E", OPT_TEXT, AT(email), .is_clearable = true, .rule = email_normalise, .help = "address; \"\" for none" }
#define PASSWORD(what) { "password-stdin", NULL, OPT_FLAG, AT(has_password), .help = "read the password, one line, from standard input" what }

static const struct opt create_opts[] = { NAME(true), PHONE(true), ROLE(true), EMAIL, PASSWORD("; without: signs in elsewhere") };
static const struct opt list_opts[] = {
	{ "after", "ID", OPT_UINT, AT(after), .max = OPT_ID_MAX, .help = "only users with ids above" },
	{ "limit", "N", OPT_UINT, AT(limit), .min = 1, .max = UINT32_MAX, .help = "at most so many; without: all" },
};
static const struct opt change_opts[] = {
	{ "ID", NULL, OPT_UINT, .is_operand = true, .is_required = true, AT(id), .min = 1, .max = OPT_ID_MAX, .help = "the user" },
	NAME(false), PHONE(false), ROLE(false), EMAIL, PASSWORD(""),
	{ "active", NULL, OPT_WORD, AT(is_active), .words = yes_no, .help = "no: can neither sign in nor get a token, and those given out end" },
};

/* One line of standard input without its end, malloc'ed; NULL with errno, 0 at the end of input. A terminal doesn't show it. */
static char *read_line(size_t *len)
{
	struct termios shown, hidden;
	bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (is_terminal) {
		fputs("Password: ", stderr);
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	errno = 0;
	n = getline(&line, &size, stdin);
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	if (n < 0) {
		free(line);
		return NULL;
	}
	*len = (size_t)n;
	if (*len > 0 && line[*len - 1] == '\n')
		(*len)--;
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	return line;
}

/* The hash of the password on standard input, if there is to be one. 0, or the exit status. */
static int read_password(struct call *c, struct str *hash)
{
	struct user_opts *o = c->opts;
	char text[PASSWD_HASH_SIZE];
	const char *why = "";
	struct str password;
	size_t len = 0;
	int status = 0;
	char *line;

	if (!o->has_password)
		return 0;
	line = read_line(&len);
	password = (struct str){ line, len };
	if (!line)
		return tool_fail(EX_DATAERR, c->mode, "--password-stdin: %s", errno ? strerror(errno) : "standard input holds no line");
	if (!password_check(c->arena, password, &password, &why))
		status = tool_fail(EX_DATAERR, c->mode, "--password-stdin: the password %s", why);
	else if (passwd_hash(c->conf, password, text) != OC_OK)
		status = tool_fail(EX_SOFTWARE, c->mode, "no memory for the password's hash (PICKUP_PASSWORD_MEMORY_KIB)");
	else
		*hash = (struct str){ arena_strdup(c->arena, text), strlen(text) };
	explicit_bzero(line, len);
	free(line);
	return status;
}

/* Takes over what the options give; an empty text is none. */
static void apply(const struct user_opts *o, struct str hash, struct user *u)
{
	if (o->name.s)
		u->full_name = o->name;
	if (o->phone.s)
		u->phone_number = o->phone;
	if (o->email.s)
		u->email = o->email.len ? o->email : STR_NONE;
	if (o->role >= 0)
		u->role = (enum role)o->role;
	if (o->is_active >= 0)
		u->is_active = o->is_active == 1;
	if (hash.s)
		u->password_hash = hash;
}

static int failed(const struct call *c, enum outcome oc, const char *doing)
{
	const struct user_opts *o = c->opts;

	if (oc == OC_CONFLICT)
		return tool_fail(EX_DATAERR, c->mode, "--phone: another user has this number already");
	if (oc == OC_NOT_FOUND)
		return tool_fail(EX_DATAERR, c->mode, "ID: there is no user %" PRIu64, o->id);
	return tool_fail_outcome(c->mode, oc, doing);
}

static int user_create(struct call *c)
{
	struct user u = { .created_at = 0 };
	struct clock clock = clock_system();
	struct str hash = STR_NONE;
	int status = read_password(c, &hash);
	enum outcome oc;

	if (status)
		return status;
	apply(c->opts, hash, &u);
	u.created_at = clock.now(&clock);
	oc = db_user_insert(c->db, &u);
	if (oc != OC_OK)
		return failed(c, oc, "storing the user");
	printf("%" PRIu64 "\n", u.id.v);
	return 0;
}

static void print_user(struct arena *a, const struct user *u)
{
	struct buf b = BUF_IN(a);

	buf_addf(&b, "%" PRIu64 "\t", u->id.v);
	cell_text(&b, u->full_name);
	cell_text(&b, u->phone_number);
	cell_text(&b, u->email);
	cell_text(&b, str_from(role_name(u->role)));
	cell_yes(&b, u->is_active);
	cell_yes(&b, u->password_hash.s != NULL);
	cell_time(&b, u->created_at);
	cell_end(&b);
	fwrite(b.s, 1, b.len, stdout);
}

static int user_list(struct call *c)
{
	const struct user_opts *o = c->opts;
	uint64_t left = o->limit;	/* unset: more than there are */
	struct user_id after = { o->after == OPT_UINT_UNSET ? 0 : o->after };
	struct arena *a = arena_new();
	enum outcome oc = OC_OK;
	size_t n = PAGE;

	puts("id\tfull_name\tphone_number\temail\trole\tis_active\thas_password\tcreated_at");
	while (oc == OC_OK && n == PAGE && left > 0 && !ferror(stdout)) {
		struct user *us = NULL;
		arena_reset(a);
		oc = db_user_list(c->db, a, after, left < PAGE ? left : PAGE, &us, &n);
		for (size_t i = 0; oc == OC_OK && i < n; i++) {
			print_user(a, &us[i]);
			after = us[i].id;
		}
		left -= n < left ? n : left;
	}
	arena_free(a);
	return oc == OC_OK ? 0 : failed(c, oc, "listing users");
}

struct change { const struct call *call; struct str hash; bool ends_tokens; };

static enum outcome change_work(struct db *db, void *ctx)
{
	struct change *ch = ctx;
	const struct user_opts *o = ch->call->opts;
	struct user u;
	enum outcome oc = db_user_lock(db, ch->call->arena, (struct user_id){ o->id }, &u);

	if (oc != OC_OK)
		return oc;
	struct clock clock = clock_system();
	struct standing before = standing_of_user(&u);
	enum role role = u.role;
	instant now = clock.now(&clock);
	apply(o, ch->hash, &u);
	/* What was given out under the old password or role, or would be good again once they are active again, is to end. */
	ch->ends_tokens = ch->hash.s || u.role != role || (before.is_active && !u.is_active);
	if (ch->ends_tokens)
		u.tokens_ended_at = standing_end(&before, now, INSTANT_NONE);
	oc = db_user_update(db, &u);
	return oc == OC_OK && ch->ends_tokens ? db_close_channels_of(db, u.id, now) : oc;
}

/* So that open subscriptions are closed at once. */
static void wake_relay(const struct call *c)
{
	struct poke_sender *poke = poke_sender_new();

	poke_send(poke, c->conf->relay_socket);
	poke_sender_free(poke);
}

static int user_change(struct call *c)
{
	struct change ch = { .call = c, .hash = STR_NONE };
	int status = read_password(c, &ch.hash);
	enum outcome oc;

	if (status)
		return status;
	oc = db_transact(c->db, change_work, &ch);
	if (oc == OC_OK && ch.ends_tokens)
		wake_relay(c);
	return oc == OC_OK ? 0 : failed(c, oc, "changing the user");
}

static const struct verb user_verbs[] = {
	{ "create", "Creates a user and prints the id.", create_opts, sizeof create_opts / sizeof *create_opts, .run = user_create },
	{ "list", "Lists users by id: a line of column names, then one a user, tab-separated.", list_opts, sizeof list_opts / sizeof *list_opts,
		.run = user_list },
	{ "change", "Changes what is given and leaves the rest.", change_opts, sizeof change_opts / sizeof *change_opts,
		.wants_change = true, .run = user_change },
};

int mode_user(int argc, char **argv)
{
	static const struct verbs t = {
		"user", "Users: customers, shopkeepers, admins.", user_verbs, sizeof user_verbs / sizeof *user_verbs, sizeof(struct user_opts)
	};
	return opt_run(&t, argc, argv);
}

/* token */

struct token_opts { uint64_t user, ttl; bool is_ticket; };

static const struct opt token_opts[] = {
	{ "user", "ID", OPT_UINT, .is_required = true, .offset = offsetof(struct token_opts, user), .min = 1, .max = OPT_ID_MAX,
		.help = "whose; the role is the user's" },
	{ "ttl", "SECONDS", OPT_UINT, .offset = offsetof(struct token_opts, ttl), .min = 1, .max = 31536000,
		.help = "good for so long; without: as the settings say" },
	{ "ticket", NULL, OPT_FLAG, .offset = offsetof(struct token_opts, is_ticket), .help = "a ticket: opens WebSockets, nothing else" },
};

/* The user as claims of now, or the exit status. */
static int find_user(struct call *c, struct claims *who)
{
	const struct token_opts *o = c->opts;
	struct clock clock = clock_system();
	struct user u;
	enum outcome oc = db_user_get(c->db, c->arena, (struct user_id){ o->user }, &u);

	if (oc == OC_NOT_FOUND)
		return tool_fail(EX_DATAERR, c->mode, "--user: there is no user %" PRIu64, o->user);
	if (oc != OC_OK)
		return tool_fail_outcome(c->mode, oc, "looking for the user");
	if (!u.is_active)
		return tool_fail(EX_DATAERR, c->mode, "--user: user %" PRIu64 " is not active", o->user);
	struct standing s = standing_of_user(&u);
	who->sub = u.id;
	who->role = u.role;
	who->iat = standing_issue(&s, clock.now(&clock));
	return 0;
}

static int issue(struct call *c, const struct keyring *keys, struct claims *who)
{
	const struct token_opts *o = c->opts;
	struct clock clock = clock_system();
	instant now = clock.now(&clock);
	int64_t usual = o->is_ticket ? c->conf->ticket_ttl_s : c->conf->token_ttl_s;
	struct str token = STR_NONE;
	enum outcome oc;

	if (!(o->is_ticket ? keyring_can_ticket(keys) : keyring_can_issue(keys)))
		return tool_fail(EX_CONFIG, c->mode, o->is_ticket ? "no key to make tickets with: set PICKUP_TICKET_KEY_FILE"
			: "the settings' key only verifies tokens; making them needs PICKUP_TOKEN_ALG HS256 and its secret");
	who->exp = now + (o->ttl == OPT_UINT_UNSET ? usual : (int64_t)o->ttl) * INSTANT_SECOND;
	oc = o->is_ticket ? jwt_issue_ticket(c->arena, keys, c->conf, who, &token)
		: jwt_issue(c->arena, keys, c->conf, who, &token);
	if (oc != OC_OK)
		return tool_fail_outcome(c->mode, oc, "making the token");
	printf("%.*s\n", STR_FMT(token));
	return 0;
}

static int token_create(struct call *c)
{
	char why[512] = "";
	struct keyring *keys = keyring_new(c->conf, why, sizeof why);
	struct claims who = { .exp = 0 };
	int status;

	if (!keys)
		return tool_fail(EX_CONFIG, c->mode, "%s", why);
	status = find_user(c, &who);
	if (status == 0)
		status = issue(c, keys, &who);
	keyring_free(keys);
	return status;
}

int mode_token(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ "create", "Prints a new token for an active user.", token_opts, sizeof token_opts / sizeof *token_opts, .run = token_create },
	};
	static const struct verbs t = { "token", "Tokens for the Authorization header.", verbs, 1, sizeof(struct token_opts) };

	return opt_run(&t, argc, argv);
}
