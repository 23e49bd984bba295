// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_pci_subpage_stale_map FILE COMMAND [ARG]...
 *
 * Maps the first page of a sysfs resourceN file, runs the command, and then
 * reads through the mapping. A BAR that the command has moved must not be
 * reachable at its old address any more.
 *
 * Exit code: 0 if the access was refused with SIGBUS, 1 if it went through,
 * 2 if something else went wrong.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registers/mmio.h"

static void refused(int signal)
{
	(void)signal;
	_exit(0);
}

static void run(char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		err(2, "fork");
	if (!pid) {
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(2, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		errx(2, "%s failed (status %#x)", argv[0], status);
}

int main(int argc, char **argv)
{
	void *bar;
	int fd;

	if (argc < 3)
		errx(2, "usage: %s FILE COMMAND [ARG]...", argv[0]);

	fd = open(argv[1], O_RDWR);
	if (fd < 0)
		err(2, "%s", argv[1]);
	bar = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		err(2, "%s: mmap", argv[1]);

	/* The mapping works before, or its failing afterwards proves nothing. */
	mmio_read(bar, 4);
	run(argv + 2);
	signal(SIGBUS, refused);
	printf("still readable: %#llx\n", (unsigned long long)mmio_read(bar, 4));
	return 1;
}
