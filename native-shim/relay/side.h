/* The two sides of a relay: local.c and remote.c. World: ordinary. */
#ifndef DM_RELAY_SIDE_H
#define DM_RELAY_SIDE_H

#include <stdbool.h>

struct relay_options {
    int socket;
    const char *host; /* for messages */
    bool terminal, no_input, quiet;
    const char *program; /* of the remote side, with argv */
    char *const *arguments;
};

/* Both return the exit status. */
int relay_local(const struct relay_options *options);
int relay_remote(const struct relay_options *options);

#endif
