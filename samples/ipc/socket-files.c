/* Proves: the files of AF_UNIX sockets keep their permissions and, as root, their owners; a name that was removed does not
 * come back, while the socket keeps it and its connections. */
#include "../sample.h"
#include <sys/socket.h>
#include <sys/un.h>

enum { OWNER = 1234, GROUP = 2345 };

struct place {
    struct sockaddr_un name;
    int fd;
    mode_t mode;
    bool is_removed;
};

static struct sockaddr_un name_of(const char *file)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    char *path = sample_path(file);
    CHECK(strlen(path) < sizeof name.sun_path, "%s is too long", path);
    strcpy(name.sun_path, path);
    free(path);
    return name;
}

static struct place make(const char *file, int type, mode_t mode)
{
    struct place place = { .name = name_of(file), .fd = TRY(socket(AF_UNIX, type, 0)), .mode = mode };
    unlink(place.name.sun_path);
    TRY(bind(place.fd, (struct sockaddr *)&place.name, sizeof place.name));
    TRY(chmod(place.name.sun_path, mode));
    if (geteuid() == 0)
        TRY(chown(place.name.sun_path, OWNER, GROUP));
    if (type == SOCK_STREAM)
        TRY(listen(place.fd, 3));
    return place;
}

static void connect_to(const struct place *place, int *client, int *server)
{
    *client = TRY(socket(AF_UNIX, SOCK_STREAM, 0));
    TRY(connect(*client, (const struct sockaddr *)&place->name, sizeof place->name));
    *server = TRY(accept(place->fd, NULL, NULL));
}

static void removed(struct place *place)
{
    TRY(unlink(place->name.sun_path));
    place->is_removed = true;
}

static void verify(const struct place *place)
{
    struct stat status;
    int error = stat(place->name.sun_path, &status);
    if (place->is_removed) {
        CHECK(error == -1 && errno == ENOENT, "%s is there again", place->name.sun_path);
        return;
    }
    CHECK(error == 0 && S_ISSOCK(status.st_mode), "%s: %s", place->name.sun_path, strerror(errno));
    CHECK((status.st_mode & 07777) == place->mode, "%s has the mode %o", place->name.sun_path, status.st_mode & 07777);
    if (geteuid() == 0)
        CHECK(status.st_uid == OWNER && status.st_gid == GROUP, "%s is of %u:%u", place->name.sun_path, status.st_uid, status.st_gid);
}

static void talk(int from, int to, const struct place *place)
{
    struct sockaddr_un peer;
    socklen_t length = sizeof peer;
    char byte = 0;
    TRY(write(from, "x", 1));
    CHECK(read(to, &byte, 1) == 1 && byte == 'x', "a connection is broken");
    TRY(getpeername(from, (struct sockaddr *)&peer, &length));
    CHECK(strcmp(peer.sun_path, place->name.sun_path) == 0, "the server is '%s'", peer.sun_path);
}

int main(void)
{
    struct place open = make("open", SOCK_STREAM, 0666), closed = make("closed", SOCK_STREAM, 0600);
    struct place datagrams = make("datagrams", SOCK_DGRAM, 0622), hidden = make("hidden", SOCK_STREAM, 0777), ended = make("ended", SOCK_STREAM, 0700);
    int client[4], server[4];
    connect_to(&open, &client[0], &server[0]);
    connect_to(&hidden, &client[1], &server[1]);
    connect_to(&ended, &client[2], &server[2]);
    removed(&hidden);
    removed(&ended);
    TRY(close(ended.fd));                                 /* its connection goes on */
    const struct place *all[] = { &open, &closed, &datagrams, &hidden, &ended };

    sample_ready();
    while (sample_more(100))
        sample_idle();

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        verify(all[i]);
    talk(client[0], server[0], &open);
    talk(client[1], server[1], &hidden);
    talk(client[2], server[2], &ended);
    connect_to(&open, &client[3], &server[3]);
    struct sockaddr_un own;
    socklen_t length = sizeof own;
    TRY(getsockname(hidden.fd, (struct sockaddr *)&own, &length));
    CHECK(strcmp(own.sun_path, hidden.name.sun_path) == 0, "the hidden one is '%s'", own.sun_path);
    return sample_ok(0);
}
