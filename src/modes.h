/* modes.h - what `pickup MODE …` runs. Each takes the arguments after the mode's name and gives the exit status.
 * Exit status (sysexits.h): 0 done; 1 a check found faults; 64 wrong usage; 65 bad data; 69 the database or another part is away; 70 a bug; 71 the system;
 * 73 can't create; 74 input/output; 78 wrong configuration. Each failure prints one line "pickup MODE: what and why" to standard error. */
#ifndef PICKUP_MODES_H
#define PICKUP_MODES_H

int mode_serve(int argc, char **argv);		/* worker.c: FastCGI worker, or one plain CGI request */
int mode_relay(int argc, char **argv);		/* relay.c */
int mode_migrate(int argc, char **argv);	/* tool_migrate.c */
int mode_restored(int argc, char **argv);	/* tool_restored.c */
int mode_check(int argc, char **argv);		/* tool_check.c */
int mode_request(int argc, char **argv);	/* tool_request.c: one request from the shell */
int mode_routes(int argc, char **argv);		/* tool_request.c: prints the route table */
int mode_openapi(int argc, char **argv);	/* tool_request.c: prints the description of the API */
int mode_conf(int argc, char **argv);		/* tool_check.c: prints the settings in force */
int mode_user(int argc, char **argv);		/* tool_user.c */
int mode_shop(int argc, char **argv);		/* tool_shop.c */
int mode_product(int argc, char **argv);	/* tool_shop.c */
int mode_token(int argc, char **argv);		/* tool_user.c */

#endif
