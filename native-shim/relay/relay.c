/* dormouse-relay: stands for ssh(1) in images. One runs where a program has started ssh, one where the command runs; a TCP
 * connection between the two carries what ssh would: standard streams, the exit status, the terminal. dmssh starts both
 * (launcher/Dormouse.Launcher/Ssh) and hands over the connection. World: ordinary.
 *
 *   dormouse-relay local SOCKET HOST [terminal] [no-input] [quiet]
 *   dormouse-relay remote SOCKET [terminal] -- PROGRAM ARGV0 [ARGUMENT]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

static int usage(void)
{
    fprintf(stderr, "dormouse-relay is started by dmssh, which stands for ssh in a computation; see dmlaunch(1).\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct relay_options options = {.socket = argc > 2 ? atoi(argv[2]) : -1};
    int next = 3;
    if (argc < 4)
        return usage();
    bool is_local = strcmp(argv[1], "local") == 0;
    if (is_local)
        options.host = argv[next++];
    for (; next < argc && strcmp(argv[next], "--") != 0; next++) {
        options.terminal |= strcmp(argv[next], "terminal") == 0;
        options.quiet |= strcmp(argv[next], "quiet") == 0;
        options.no_input |= strcmp(argv[next], "no-input") == 0;
    }
    if (is_local)
        return relay_local(&options);
    if (strcmp(argv[1], "remote") != 0 || next + 2 >= argc)
        return usage();
    options.program = argv[next + 1];
    options.arguments = argv + next + 2;
    return relay_remote(&options);
}
