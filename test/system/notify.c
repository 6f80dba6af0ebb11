// SPDX-License-Identifier: MIT
/* notify: stands in for systemd: prints what a service tells it (sd_notify(3)). notify SOCKET */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char text[4096];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc != 2 || strlen(argv[1]) >= sizeof a.sun_path) {
		fputs("usage: notify SOCKET\n", stderr);
		return 2;
	}
	strcpy(a.sun_path, argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a)) {
		perror(argv[1]);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((n = recv(fd, text, sizeof text - 1, 0)) >= 0) {
		text[n] = '\0';
		puts(text);
	}
	return 1;
}
