/* relay_holder.c - the relay's name in the lease.
 * Owns: of what it is made. Does not own: the lease (relay.c).
 * Used by: relay.c. */
#include "relay.h"

#include <stdio.h>
#include <unistd.h>

/* What tells two machines of one name apart; "" where the kernel does not say. */
static void read_boot_id(char *id, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (!f || !fgets(id, (int)size, f))
		*id = '\0';
	if (f)
		fclose(f);
}

void relay_name_holder(const struct relay *r, char *name, size_t size)
{
	char host[128] = "", boot[9];
	gethostname(host, sizeof host - 1);
	read_boot_id(boot, sizeof boot);
	if (r->pokes)
		snprintf(name, size, "%s/%s:%s", host, boot, r->conf->relay_socket);
	else
		snprintf(name, size, "%s/%s:%ld", host, boot, (long)getpid());
}
