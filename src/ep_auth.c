/* ep_auth.c - accounts, access tokens, tickets, and the push server's question whether a subscriber may come in.
 * Owns: what register and login take and give. Does not own: tokens (jwt.c), hashing (passwd.c), the rules of names (person.c). */
#include "ep.h"

#include "access.h"
#include "db_user.h"
#include "person.h"
#include "problem.h"
#include "render.h"
#include "reply.h"
#include "signin.h"

/* Generous bounds: person.c has the real ones and better sentences. */
#define TEXT_FIELD(type_, member_, is_required_) \
	{ .name = #member_, .type = FIELD_TEXT, .required = is_required_, .nullable = !is_required_, .max = 1024, \
	  .offset = offsetof(struct type_, member_) }

struct register_input { struct str full_name, phone_number, password, email; int role; };

/* Indexes are enum role; admin is made by an administrator only. */
static const char *const register_roles[] = { "customer", "shopkeeper", NULL };

static const struct field register_fields[] = {
	TEXT_FIELD(register_input, full_name, true),
	TEXT_FIELD(register_input, phone_number, true),
	TEXT_FIELD(register_input, password, true),
	TEXT_FIELD(register_input, email, false),
	{ .name = "role", .type = FIELD_ENUM, .words = register_roles, .offset = offsetof(struct register_input, role) },
};
enum { R_NAME, R_PHONE, R_PASSWORD, R_EMAIL, R_ROLE };
static const struct field_table register_table = {
	register_fields, sizeof register_fields / sizeof *register_fields, sizeof(struct register_input)
};

static void apply_rule(struct req *r, person_rule *rule, const struct presence *seen, unsigned field, struct str *text, struct faults *f)
{
	const char *why;
	if ((seen->present & 1u << field) && !rule(r->arena, *text, text, &why))
		fault_add(f, register_fields[field].name, "%s", why);
}

static enum outcome read_registration(struct req *r, struct register_input *in)
{
	struct faults f = FAULTS_IN(r->arena);
	struct presence seen = body_fill(r->body, &register_table, in, &f);
	apply_rule(r, name_normalise, &seen, R_NAME, &in->full_name, &f);
	apply_rule(r, phone_normalise, &seen, R_PHONE, &in->phone_number, &f);
	apply_rule(r, password_check, &seen, R_PASSWORD, &in->password, &f);
	apply_rule(r, email_normalise, &seen, R_EMAIL, &in->email, &f);
	return f.n ? problem_faults(r, &f) : OC_OK;
}

struct registering { struct req *r; struct user *user; };

static enum outcome register_once(struct db *db, void *ctx)
{
	const struct registering *reg = ctx;
	enum outcome oc = db_user_insert(db, reg->user);
	return oc == OC_OK ? throttle_welcome(db, reg->r, reg->user->phone_number) : oc;
}

enum outcome ep_register(struct req *r)
{
	struct register_input in = { .role = ROLE_CUSTOMER };
	char hash[PASSWD_HASH_SIZE];
	if (!r->app->conf->registration)
		return problem_reply(r, PROBLEM_FORBIDDEN, "Accounts are not made here.");
	enum outcome oc = read_registration(r, &in);
	if (oc != OC_OK)
		return oc;
	oc = signin_hash(r, in.password, hash);
	if (oc != OC_OK)
		return oc;
	struct user user = {
		.full_name = in.full_name, .phone_number = in.phone_number, .email = in.email, .password_hash = str_from(hash),
		.role = (enum role)in.role, .is_active = true, .created_at = r->now,
	};
	struct registering reg = { r, &user };
	oc = db_transact(r->app->db, register_once, &reg);
	if (oc == OC_CONFLICT)
		return problem_reply(r, PROBLEM_PHONE_TAKEN, "Log in, or use another number.");
	if (oc != OC_OK)
		return oc;
	render_user(reply_json(r, 201), &user);
	return OC_OK;
}

struct login_input { struct str phone_number, password; };

static const struct field login_fields[] = {
	TEXT_FIELD(login_input, phone_number, true),
	TEXT_FIELD(login_input, password, true),
};
static const struct field_table login_table = { login_fields, sizeof login_fields / sizeof *login_fields, sizeof(struct login_input) };

static enum outcome refuse_login(struct req *r)
{
	return problem_reply(r, PROBLEM_UNAUTHORIZED, "The phone number or the password is wrong.");
}

/* An unknown number, and what can't be one, costs the time of a wrong password and is counted like one, so that nobody learns which numbers have
 * an account. */
static enum outcome find_login(struct req *r, const struct login_input *in, struct attempt *attempt, struct user *user)
{
	struct str number = in->phone_number;
	const char *why;
	bool is_number = phone_normalise(r->arena, number, &number, &why);
	enum outcome oc = throttle_begin(r, number, attempt);
	if (oc == OC_OK)
		oc = is_number ? db_user_by_phone(r->app->db, r->arena, number, user) : OC_NOT_FOUND;
	if (oc != OC_OK && oc != OC_NOT_FOUND)
		return oc;
	bool is_right = signin_matches(r, oc == OC_OK ? user->password_hash : STR_NONE, in->password);
	return is_right && user->is_active ? OC_OK : OC_NOT_FOUND;
}

enum outcome ep_login(struct req *r)
{
	struct login_input in = { 0 };
	struct faults f = FAULTS_IN(r->arena);
	struct user user = { 0 };
	struct attempt attempt;
	enum outcome oc = signin_check(r);
	if (oc != OC_OK)
		return oc;
	body_fill(r->body, &login_table, &in, &f);
	if (f.n)
		return problem_faults(r, &f);
	oc = find_login(r, &in, &attempt, &user);
	if (oc == OC_OK)
		oc = signin_reply(r, &user, &attempt);
	return oc == OC_NOT_FOUND ? refuse_login(r) : oc;
}

enum outcome ep_ticket(struct req *r)
{
	const struct app *app = r->app;
	struct str ticket;
	if (!keyring_can_ticket(app->keys))
		return problem_reply(r, PROBLEM_NOT_FOUND, "No ticket key is set up here.");
	/* A ticket does not outlive the token it was got with: neither its time, nor its being ended, which goes by iat. */
	int64_t ttl = app->conf->ticket_ttl_s, left = (r->who.exp - r->now) / INSTANT_SECOND;
	/* It may have passed already: see PICKUP_TOKEN_LEEWAY_S. */
	left = left > 0 ? left : 0;
	ttl = left < ttl ? left : ttl;
	struct claims claims = { r->who.sub, r->who.role, r->now + ttl * INSTANT_SECOND, r->who.iat };
	if (jwt_issue_ticket(r->arena, app->keys, app->conf, &claims, &ticket) != OC_OK)
		return OC_BAD;
	buf_addc(signin_reply_token(r, "ticket", ticket, ttl), '}');
	return OC_OK;
}

enum outcome ep_subscribe(struct req *r)
{
	struct channel ch;
	if (!channel_kind_parse(r->http.channel_kind, &ch.kind) || !str_to_uint(r->http.channel_id, INT64_MAX, &ch.id))
		return problem_reply(r, PROBLEM_FORBIDDEN, "There is no such channel.");
	enum outcome oc = access_channel(r, ch);
	if (oc == OC_OK)
		r->reply->status = 204;
	return oc;
}
