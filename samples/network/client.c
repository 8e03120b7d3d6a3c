/* Proves, together with server.c: see there.
 * Usage: client PORT-FILE. Asks the server as fast as it can and checks every answer. */
#include "../sample.h"
#include <arpa/inet.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    CHECK(argc == 2, "usage: client PORT-FILE");
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char port[16] = "";
    int file = TRY(open(argv[1], O_RDONLY));
    CHECK(read(file, port, sizeof port - 1) > 0, "%s is empty", argv[1]);
    close(file);
    address.sin_port = htons(atoi(port));
    int fd = TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(connect(fd, (struct sockaddr *)&address, sizeof address));

    sample_ready();
    uint64_t number = 0, sum = 0;
    while (sample_more(1000)) {
        for (int i = 0; i < 20; i++, number++) {
            uint64_t answer;
            sample_write(fd, &number, sizeof number, "question");
            CHECK(recv(fd, &answer, sizeof answer, MSG_WAITALL) == sizeof answer, "the server is gone");
            CHECK(answer == sample_mix(number), "the answer to %llu is wrong", (unsigned long long)number);
            sum ^= answer;
        }
        usleep(1000);
    }
    close(fd);
    return sample_ok(sum);
}
