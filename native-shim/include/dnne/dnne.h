/* What a generated NAME.g.c includes, whether dm-gen wrote it or dnne-gen 2.x. World: Guest.
 *
 * The macros are DNNE's contract with its generated code. Its own header also declares how to load a CLR; there is none
 * here: embed/platform.c binds to entry points that were compiled ahead of time. */
#ifndef DM_DNNE_H
#define DM_DNNE_H

#define DNNE_LINUX
#define DNNE_EXTERN_C
#define DNNE_API __attribute__((__visibility__("default")))
#define DNNE_CALLTYPE
#define DNNE_CALLTYPE_CDECL
#define DNNE_CALLTYPE_STDCALL
#define DNNE_CALLTYPE_THISCALL
#define DNNE_CALLTYPE_FASTCALL
#define DNNE_STR(text) text
#define DNNE_WCHAR uint16_t

enum failure_type {
    failure_load_runtime = 1,
    failure_load_export,
};

/* Ends the process with a sentence. */
_Noreturn void dnne_abort(enum failure_type type, int error_code);

#endif
