/* Machine code that C cannot say: TLS of the C# object, raw threads, the guest's stack. World: Guest, Frozen. */

    .text

/* __tls_get_addr of the C# object. Its code was compiled for any module (general-dynamic), but it is linked into this
 * library, whose TLS block lies at a fixed distance from the thread pointer (loaded at start, DF_STATIC_TLS). libc's own
 * function may allocate and take the loader lock. In: rdi -> {module, offset}. Out: rax.
 * ELF Handling For Thread-Local Storage, sections 3.4.6 and 4.4.6. */
    .globl dm_rt___tls_get_addr
    .hidden dm_rt___tls_get_addr
    .type dm_rt___tls_get_addr, @function
dm_rt___tls_get_addr:
    .cfi_startproc
    movq dm_tls_anchor@gottpoff(%rip), %rax
    subq $dm_tls_anchor@dtpoff, %rax
    addq 8(%rdi), %rax
    addq %fs:0, %rax
    ret
    .cfi_endproc
    .size dm_rt___tls_get_addr, .-dm_rt___tls_get_addr

/* int64_t dm_clone_raw(rdi flags, rsi stack top, rdx parent tid *, rcx child tid *, r8 tls, r9 struct dm_raw_entry *)
 * Parent: TID or -errno. Child: entry->function(entry->argument) on the new stack, then exit(2) with its result. */
    .globl dm_clone_raw
    .hidden dm_clone_raw
    .type dm_clone_raw, @function
dm_clone_raw:
    .cfi_startproc
    movq %rcx, %r10
    andq $-16, %rsi
    movl $56, %eax                      /* __NR_clone */
    syscall
    testq %rax, %rax
    jz 1f
    ret
1:
    .cfi_undefined %rip                 /* the outermost frame of the thread */
    xorl %ebp, %ebp
    movq 8(%r9), %rdi
    call *(%r9)
    movl %eax, %edi
    movl $60, %eax                      /* __NR_exit */
    syscall
    hlt
    .cfi_endproc
    .size dm_clone_raw, .-dm_clone_raw

/* void dm_guest_enter(rdi function, rsi argument, rdx stack top, rcx new FS base, r8 old FS base, r9 has FSGSBASE)
 * Calls function(argument) on the other stack with the other FS base, and comes back. All signals are blocked. */
    .globl dm_guest_enter
    .hidden dm_guest_enter
    .type dm_guest_enter, @function
dm_guest_enter:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    movq %r8, %rbx
    movq %r9, %r12
    movq %rdi, %r13
    movq %rsi, %r14
    movq %rdx, %rsp
    testq %r12, %r12
    jz 1f
    wrfsbase %rcx
    jmp 2f
1:
    movl $0x1002, %edi                  /* ARCH_SET_FS, arch_prctl(2) */
    movq %rcx, %rsi
    movl $158, %eax                     /* __NR_arch_prctl */
    syscall
2:
    movq %r14, %rdi
    call *%r13
    testq %r12, %r12
    jz 3f
    wrfsbase %rbx
    jmp 4f
3:
    movl $0x1002, %edi
    movq %rbx, %rsi
    movl $158, %eax
    syscall
4:
    leaq -32(%rbp), %rsp
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size dm_guest_enter, .-dm_guest_enter

    .section .note.GNU-stack, "", @progbits
