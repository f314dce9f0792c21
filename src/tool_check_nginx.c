/* tool_check_nginx.c - `pickup check`: whom nginx runs as, and what it may read.
 * Owns: finding the nginx behind a socket, judging modes for somebody else. Used by: tool_check_files.c, tool_check_push.c. */
#include "tool_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUPS_MAX 64

/* A process, and what it may be judged by. */
struct who { long pid; unsigned long uid, groups[GROUPS_MAX]; size_t n; };

/* Who made the socket that we are connected to; 0 where that can't be told. */
static long maker_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	if (strlen(path) >= sizeof address.sun_path)
		return 0;
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){ sizeof peer });
	if (fd >= 0)
		close(fd);
	return peer.pid;
}

/* The file of /proc as text; "" where it can't be read. */
static void read_proc(char *text, size_t size, long pid, const char *name)
{
	char path[64];
	size_t n = 0;
	snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
	FILE *f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, size - 1, f);
		fclose(f);
	}
	text[n] = '\0';
}

static void add_ids(struct who *w, const char *line)
{
	char *end;
	for (unsigned long id; w->n < GROUPS_MAX && (id = strtoul(line, &end, 10), end != line); line = end) {
		w->groups[w->n++] = id;
		while (*end == ' ' || *end == '\t')
			end++;
		if (*end == '\n')
			break;
	}
}

/* The worker that a master of nginx has made: it reads files, and as another user than the master. */
static bool find_worker(long master, struct who *w)
{
	char text[4096];
	const char *uid, *gid, *groups;
	read_proc(text, sizeof text, master, "comm");
	if (strcmp(text, "nginx\n") != 0)
		return false;
	char name[48];
	snprintf(name, sizeof name, "task/%ld/children", master);
	read_proc(text, sizeof text, master, name);
	*w = (struct who){ .pid = strtol(text, NULL, 10) };
	if (w->pid <= 0)
		return false;
	read_proc(text, sizeof text, w->pid, "status");
	uid = strstr(text, "\nUid:"), gid = strstr(text, "\nGid:"), groups = strstr(text, "\nGroups:");
	if (!uid || !gid || !groups)
		return false;
	w->uid = strtoul(uid + 5, NULL, 10);
	add_ids(w, gid + 5);
	add_ids(w, groups + 8);
	return true;
}

/* may: 4 to read, 1 to pass. */
static bool is_allowed(const struct who *w, const struct stat *st, mode_t may)
{
	if (w->uid == 0)
		return true;
	if (w->uid == st->st_uid)
		return (st->st_mode >> 6 & may) == may;
	for (size_t i = 0; i < w->n; i++)
		if (w->groups[i] == st->st_gid)
			return (st->st_mode >> 3 & may) == may;
	return (st->st_mode & may) == may;
}

bool check_nginx_reads(const char *socket, const char *dir, char *why, size_t n)
{
	struct who w;
	struct stat st;
	char path[4096];
	long master = maker_of(socket);
	size_t len = strlen(dir);
	if (!master || !find_worker(master, &w) || len >= sizeof path)
		return true;
	for (size_t i = 1; i <= len; i++) {
		if (dir[i] != '/' && dir[i] != '\0')
			continue;
		memcpy(path, dir, i);
		path[i] = '\0';
		if (stat(path, &st) != 0 || is_allowed(&w, &st, S_IXOTH))
			continue;
		snprintf(why, n, "nginx (process %ld, user %lu) may not look into %s", w.pid, w.uid, path);
		return false;
	}
	return true;
}

bool check_is_open_to_all(const char *socket)
{
	struct stat st;
	char path[4096];
	size_t len = strlen(socket);
	if (len >= sizeof path || stat(socket, &st) != 0 || !(st.st_mode & S_IWOTH))
		return false;
	for (size_t i = 1; i < len; i++) {
		if (socket[i] != '/')
			continue;
		memcpy(path, socket, i);
		path[i] = '\0';
		if (stat(path, &st) != 0 || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}
