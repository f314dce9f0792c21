/* poke.c - AF_UNIX datagrams of one byte.
 * Owns: file descriptors, the socket's file and its lock. Does not own: what a poke leads to (relay.c).
 * Used by: workers, relay.c. */
#include "poke.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

struct poke_sender { int fd; };

struct poke_listener {
	int fd, lock;
	struct sockaddr_un address;
};

/* False: the path is too long for a socket's address. */
static bool set_address(struct sockaddr_un *address, const char *path)
{
	size_t len = strlen(path);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof address->sun_path)
		return false;
	memcpy(address->sun_path, path, len);
	return true;
}

static int datagram_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

struct poke_sender *poke_sender_new(void)
{
	struct poke_sender *s = malloc(sizeof *s);
	if (!s)
		log_die("no memory");
	s->fd = datagram_socket();
	if (s->fd < 0)
		log_warn("the relay can't be woken, it has to poll: %s", strerror(errno));
	return s;
}

void poke_sender_free(struct poke_sender *s)
{
	if (s && s->fd >= 0)
		close(s->fd);
	free(s);
}

void poke_send(struct poke_sender *s, const char *path)
{
	struct sockaddr_un address;
	if (s->fd < 0 || !*path || !set_address(&address, path))
		return;
	if (sendto(s->fd, "", 1, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address) < 0 && errno != EAGAIN)
		log_debug("poke lost: %s", strerror(errno));
}

/* The lock's descriptor; -1 with errno. The file stays when we leave: to unlink it would let two hold "the" lock. */
static int take_lock(const char *path)
{
	char name[sizeof((struct sockaddr_un *)0)->sun_path + 8];
	snprintf(name, sizeof name, "%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Workers may run as another user of our group, so the file is theirs to write to as well. */
static bool bind_socket(struct poke_listener *l)
{
	const char *path = l->address.sun_path;
	if (unlink(path) < 0 && errno != ENOENT)
		return false;
	l->fd = datagram_socket();
	return l->fd >= 0 && bind(l->fd, (struct sockaddr *)&l->address, sizeof l->address) == 0 && chmod(path, 0660) == 0;
}

enum outcome poke_listen(const char *path, struct poke_listener **out, char *why, size_t n)
{
	struct poke_listener l = { .fd = -1, .lock = -1 };
	*out = NULL;
	if (!set_address(&l.address, path)) {
		snprintf(why, n, "%s is too long for a socket's path (at most %zu bytes)", path, sizeof l.address.sun_path - 1);
		return OC_BAD;
	}
	l.lock = take_lock(path);
	if (l.lock < 0) {
		bool is_taken = errno == EWOULDBLOCK;
		if (is_taken)
			snprintf(why, n, "another relay listens on %s", path);
		else
			snprintf(why, n, "%s.lock: %s", path, strerror(errno));
		return is_taken ? OC_CONFLICT : OC_BAD;
	}
	if (!bind_socket(&l)) {
		snprintf(why, n, "%s: %s", path, strerror(errno));
		if (l.fd >= 0)
			close(l.fd);
		close(l.lock);
		return OC_BAD;
	}
	*out = malloc(sizeof **out);
	if (!*out)
		log_die("no memory");
	**out = l;
	return OC_OK;
}

void poke_listener_free(struct poke_listener *l)
{
	if (!l)
		return;
	unlink(l->address.sun_path);
	close(l->fd);
	close(l->lock);
	free(l);
}

int poke_fd(const struct poke_listener *l)
{
	return l->fd;
}

bool poke_drain(struct poke_listener *l)
{
	char byte;
	bool was_poked = false;
	while (l && recv(l->fd, &byte, sizeof byte, 0) >= 0)
		was_poked = true;
	return was_poked;
}
