// SPDX-License-Identifier: MIT
/* hold: stops one thread of a process, and only that one, until this is killed. hold TID */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t tid = argc == 2 ? atoi(argv[1]) : 0;
	int status;

	if (tid <= 0) {
		fputs("usage: hold TID\n", stderr);
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) ||
	    waitpid(tid, &status, __WALL) != tid) {
		perror("ptrace");
		return 1;
	}
	puts("held");
	fflush(stdout);
	/* The kernel lets go of it when this process ends. */
	pause();
	return 0;
}
