/* poke.h - the datagram that wakes the relay after a COMMIT. It may get lost: the relay polls as well.
 * Owns: both ends of the socket, and the lock that keeps a second relay off it.
 * Used by: workers (poke_send), relay.c (the rest). */
#ifndef PICKUP_POKE_H
#define PICKUP_POKE_H

#include <stdbool.h>
#include <stddef.h>
#include "outcome.h"

struct poke_sender;

/* The worker's end; owned by the caller. Never fails: without a socket each poke is lost, and the relay's poll is the net. */
struct poke_sender *poke_sender_new(void);
void poke_sender_free(struct poke_sender *s);
/* One datagram to the relay at path ("": nobody). Never blocks, never fails: a full queue means that the relay is about to wake anyway,
 * a missing socket that it polls. */
void poke_send(struct poke_sender *s, const char *path);

struct poke_listener;

/* Binds path for the relay, in place of what a dead relay left there. A lock on PATH.lock, which ends with the process, says whether
 * a relay lives. OC_OK with *out, owned by the caller; OC_CONFLICT: another one does; OC_BAD: can't bind. why (size n) says more. */
must_check enum outcome poke_listen(const char *path, struct poke_listener **out, char *why, size_t n);
/* Takes the socket file away. NULL is fine. */
void poke_listener_free(struct poke_listener *l);
/* To wait on; readable where there are pokes. */
int poke_fd(const struct poke_listener *l);
/* Takes every poke that waits. True: there was one. NULL: false. */
bool poke_drain(struct poke_listener *l);

#endif
