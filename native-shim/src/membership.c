/* World: Guest, vfork(2) child, signal handler. See membership.h. */
#define _GNU_SOURCE
#include "membership.h"

#include <elf.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "dm_image.h"
#include "old_addresses.h"
#include "sem_undo.h"

#define PRELOAD "LD_PRELOAD="
#define LIBRARY "/lib/dormouse/libdormouse.so"
#define COMMAND "/bin/dormouse"

enum { COORDINATOR, TOKEN, STDIO, NAMESPACES, VARIABLES };

/* Whole entries "NAME=value": environments point here, also one that a thread has made and not used yet when the process is
 * put to sleep. */
static char s_coordinator[300] = "DORMOUSE_COORDINATOR=";
static char s_token[80 + 65] = "DORMOUSE_TOKEN=";
static char s_stdio[160] = "DORMOUSE_STDIO=";
static char s_namespaces[192] = "DORMOUSE_NAMESPACES=";
static const struct variable {
    char *entry;
    size_t name_bytes; /* with the equals sign */
    size_t bytes;
} s_variables[VARIABLES] = {
    [COORDINATOR] = {s_coordinator, sizeof "DORMOUSE_COORDINATOR=" - 1, sizeof s_coordinator},
    [TOKEN] = {s_token, sizeof "DORMOUSE_TOKEN=" - 1, sizeof s_token},
    [STDIO] = {s_stdio, sizeof "DORMOUSE_STDIO=" - 1, sizeof s_stdio},
    [NAMESPACES] = {s_namespaces, sizeof "DORMOUSE_NAMESPACES=" - 1, sizeof s_namespaces},
};
/* Says nothing: it makes the number of entries that hide() takes out an even one. */
static char s_even[] = "DORMOUSE_EVEN=";
/* Where the library lies. A restart notes another place in the other record, since a thread may be copying from this one. */
static struct library {
    char path[PATH_MAX];
    size_t bytes; /* 0: no member */
} s_libraries[2], *s_library = &s_libraries[0];

static const char *value_of(int which)
{
    return s_library->bytes == 0 ? NULL : s_variables[which].entry + s_variables[which].name_bytes;
}

const char *dm_membership_coordinator(void)
{
    return value_of(COORDINATOR);
}

const char *dm_membership_token(void)
{
    return value_of(TOKEN);
}

const char *dm_membership_stdio(void)
{
    return value_of(STDIO);
}

const char *dm_membership_namespaces(void)
{
    return value_of(NAMESPACES);
}

/* Of no fixed size, and kept by old_addresses.c. */
static int is_addresses(const char *entry)
{
    return strncmp(entry, DM_ADDRESSES_VARIABLE, sizeof DM_ADDRESSES_VARIABLE - 1) == 0;
}

/* Of no fixed size, and kept by sem_undo.c. */
static int is_undo(const char *entry)
{
    return strncmp(entry, DM_SEM_UNDO_VARIABLE, sizeof DM_SEM_UNDO_VARIABLE - 1) == 0;
}

static int is_preload(const char *entry)
{
    return strncmp(entry, PRELOAD, sizeof PRELOAD - 1) == 0;
}

/* One of ours, or -1. */
static int which_variable(const char *entry)
{
    for (int i = 0; i < VARIABLES; i++) {
        if (strncmp(entry, s_variables[i].entry, s_variables[i].name_bytes) == 0)
            return i;
    }
    return -1;
}

static int is_ours(const char *entry)
{
    return which_variable(entry) >= 0 || is_addresses(entry) || is_undo(entry) ||
           strncmp(entry, s_even, sizeof s_even - 1) == 0;
}

/* The next library of a list, or NULL; blanks separate as colons do, ld.so(8). */
static const char *next_library(const char **list, size_t *bytes)
{
    const char *start = *list + strspn(*list, ": ");
    *bytes = strcspn(start, ": ");
    *list = start + *bytes;
    return *bytes == 0 ? NULL : start;
}

static int is_our_library(const char *path, size_t bytes)
{
    static const char Name[] = "libdormouse.so";
    return bytes >= sizeof Name - 1 && memcmp(path + bytes - (sizeof Name - 1), Name, sizeof Name - 1) == 0 &&
           (bytes == sizeof Name - 1 || path[bytes - sizeof Name] == '/');
}

/* Writes a list without our library to `to`, which may be where the list lies. Returns its end, without a NUL. */
static char *copy_other_libraries(const char *list, char *to)
{
    char *start = to;
    size_t bytes;
    for (const char *library; (library = next_library(&list, &bytes)) != NULL;) {
        if (is_our_library(library, bytes))
            continue;
        if (to != start)
            *to++ = ':';
        memmove(to, library, bytes);
        to += bytes;
    }
    return to;
}

static const char *find(char *const *environment, int (*is_wanted)(const char *))
{
    const char *found = NULL; /* the loader takes the last one, process_envvars in glibc's elf/rtld.c */
    for (; *environment != NULL; environment++) {
        if (is_wanted(*environment))
            found = *environment;
    }
    return found;
}

static void note_library(const char *list, char *path, size_t *path_bytes)
{
    size_t bytes;
    for (const char *library; (library = next_library(&list, &bytes)) != NULL;) {
        if (is_our_library(library, bytes) && bytes < PATH_MAX) {
            memcpy(path, library, bytes);
            *path_bytes = bytes;
        }
    }
}

/* dmlaunch, dmcommand and their sisters are no members, and a dmlaunch inside a computation may start another one. They lie
 * beside the library. */
static int is_own_command(const char *library, size_t library_bytes)
{
    char program[PATH_MAX];
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof program);
    size_t prefix = library_bytes - (sizeof LIBRARY - 1);
    return bytes > 0 && library_bytes >= sizeof LIBRARY - 1 &&
           memcmp(library + prefix, LIBRARY, sizeof LIBRARY - 1) == 0 && (size_t)bytes == prefix + sizeof COMMAND - 1 &&
           memcmp(program, library, prefix) == 0 && memcmp(program + prefix, COMMAND, sizeof COMMAND - 1) == 0;
}

/* One segment may hold several notes (elf(5)): the system's linker puts Go's behind its own. */
static int has_go_note(const char *notes, size_t bytes, size_t alignment)
{
    size_t unit = alignment == 8 ? 8 : 4;
    for (size_t at = 0; bytes - at >= sizeof(Elf64_Nhdr) + 4 && at < bytes;) {
        const Elf64_Nhdr *note = (const Elf64_Nhdr *)(notes + at);
        if (note->n_namesz == 4 && memcmp(note + 1, "Go\0", 4) == 0)
            return 1;
        size_t description = (sizeof *note + note->n_namesz + unit - 1) / unit * unit;
        at += (description + note->n_descsz + unit - 1) / unit * unit;
    }
    return 0;
}

/* Go calls the kernel itself, so that its children get their variables from its environment or not at all. Its linker notes
 * a build id under the owner "Go": cmd/link/internal/ld/elf.go, ELF_NOTE_GO_NAME. */
static int is_go_program(void)
{
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    size_t count = getauxval(AT_PHNUM);
    const Elf64_Phdr *own = NULL;
    for (size_t i = 0; i < count; i++) {
        if (headers[i].p_type == PT_PHDR)
            own = &headers[i];
    }
    for (size_t i = 0; own != NULL && i < count; i++) {
        if (headers[i].p_type == PT_NOTE && has_go_note((const char *)headers + (headers[i].p_vaddr - own->p_vaddr),
                                                        headers[i].p_filesz, headers[i].p_align))
            return 1;
    }
    return 0;
}

/* "LD_PRELOAD=ours:theirs" becomes "LD_PRELOAD=theirs"; 0: there are no others. */
static int leave_other_libraries(char *entry)
{
    char *list = entry + sizeof PRELOAD - 1;
    char *end = copy_other_libraries(list, list);
    if (end == list)
        return 0;
    *end = '\0';
    return 1;
}

/* Behind the environment lies the auxiliary vector (getauxval(3)), and some programs look for it there: Go in a shared library. So
 * the places that become free are filled with entries of it that say nothing. */
static void hide(char **environment)
{
    char **to = environment, **from = environment;
    for (; *from != NULL; from++) {
        if (!is_ours(*from) && (!is_preload(*from) || leave_other_libraries(*from)))
            *to++ = *from;
    }
    size_t freed = (size_t)(from - to);
    *to++ = NULL;
    for (size_t i = 0; freed % 2 == 0 && i < freed; i++)
        to[i] = i % 2 == 0 ? (char *)AT_IGNORE : NULL;
}

int dm_membership_take(char **environment)
{
    const char *preload = find(environment, is_preload);
    size_t library_bytes = 0;
    if (preload != NULL)
        note_library(preload + sizeof PRELOAD - 1, s_library->path, &library_bytes);
    if (library_bytes == 0 || is_own_command(s_library->path, library_bytes))
        return -1;
    unsigned found = 0;
    for (char **at = environment; *at != NULL; at++) {
        int which = which_variable(*at);
        if (which < 0 || strlen(*at) >= s_variables[which].bytes)
            continue;
        strcpy(s_variables[which].entry, *at);
        found |= 1u << which;
    }
    const unsigned needed = 1u << COORDINATOR | 1u << TOKEN;
    if ((found & needed) != needed)
        return -1;
    s_library->bytes = library_bytes;
    const char *addresses = find(environment, is_addresses);
    if (addresses != NULL)
        dm_addresses_take(addresses);
    const char *undo = find(environment, is_undo);
    if (undo != NULL)
        dm_sem_undo_take(undo);
    if (!is_go_program())
        hide(environment);
    return 0;
}

static void change(int which, const char *value)
{
    const struct variable *variable = &s_variables[which];
    if (strlen(value) < variable->bytes - variable->name_bytes)
        strcpy(variable->entry + variable->name_bytes, value);
}

static void move_library(const char *path)
{
    size_t bytes = strlen(path);
    if (bytes == 0 || bytes >= DM_RESTART_LIBRARY_BYTES)
        return;
    struct library *other = s_library == &s_libraries[0] ? &s_libraries[1] : &s_libraries[0];
    memcpy(other->path, path, bytes + 1);
    other->bytes = bytes;
    __atomic_store_n(&s_library, other, __ATOMIC_RELEASE);
}

void dm_membership_change(const char *coordinator, const char *token, const char *stdio, const char *namespaces,
                          const char *library)
{
    move_library(library);
    change(COORDINATOR, coordinator);
    change(TOKEN, token);
    change(STDIO, stdio);
    change(NAMESPACES, namespaces);
}

size_t dm_membership_prefix(const char **prefix)
{
    const size_t below = sizeof LIBRARY - 1;
    const struct library *library = s_library;
    *prefix = library->path;
    return library->bytes > below && memcmp(library->path + library->bytes - below, LIBRARY, below) == 0
               ? library->bytes - below
               : 0;
}

/* --- the environment of what is started --------------------------------------------------------------------------- */

size_t dm_membership_room(char *const *environment)
{
    if (s_library->bytes == 0)
        return 0;
    /* The room may be used after a restart, when the library lies elsewhere. */
    size_t library_bytes = s_library->bytes > DM_RESTART_LIBRARY_BYTES ? s_library->bytes : DM_RESTART_LIBRARY_BYTES;
    size_t pointers =
        VARIABLES +
        6; /* with the addresses, the semaphores, LD_PRELOAD, the extra one, the one that makes them even, and the end */
    size_t others = 0;
    for (; environment != NULL && *environment != NULL; environment++) {
        pointers++;
        if (is_preload(*environment))
            others = strlen(*environment);
    }
    return pointers * sizeof(char *) + sizeof PRELOAD + library_bytes + 1 + others;
}

char **dm_membership_environment(char *const *environment, int carries, char *extra, void *room)
{
    char **to = room;
    const char *others = "";
    /* Linux takes a NULL for an empty environment, execve(2). */
    for (; environment != NULL && *environment != NULL; environment++) {
        if (is_preload(*environment))
            others = *environment + sizeof PRELOAD - 1;
        else if (!is_ours(*environment))
            *to++ = *environment;
    }
    char **ours = to;
    for (int i = 0; i < VARIABLES; i++)
        *to++ = s_variables[i].entry;
    char *addresses = dm_addresses_entry();
    if (addresses != NULL)
        *to++ = addresses;
    char *undo = dm_sem_undo_entry();
    if (undo != NULL)
        *to++ = undo;
    size_t hidden = (size_t)(to - ours) + 1;
    if (extra != NULL)
        *to++ = extra;
    char *preload = (char *)(to + 3);
    char *text = mempcpy(preload, PRELOAD, sizeof PRELOAD - 1);
    char *list = text;
    const struct library *library = __atomic_load_n(&s_library, __ATOMIC_ACQUIRE);
    if (carries)
        text = mempcpy(text, library->path, library->bytes);
    /* The colon goes where the list begins, and is overwritten when no list follows. */
    char *end = copy_other_libraries(others, text + (carries ? 1 : 0));
    if (carries && end != text + 1)
        *text = ':';
    else if (carries)
        end = text;
    *end = '\0';
    if (end != list)
        *to++ = preload;
    /* LD_PRELOAD stays where others are in it, too. */
    if (end != text)
        hidden--;
    if (carries && hidden % 2 != 0)
        *to++ = s_even;
    *to = NULL;
    return room;
}
