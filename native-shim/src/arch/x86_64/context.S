/* dm_context_save and dm_context_resume: see include/dm_thread.h. */
    .text
    .globl dm_context_save
    .hidden dm_context_save
    .type dm_context_save, @function
dm_context_save:
    .cfi_startproc
    movq %rbx, 0(%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    leaq 8(%rsp), %rdx
    movq %rdx, 48(%rdi)
    movq (%rsp), %rdx
    movq %rdx, 56(%rdi)
    stmxcsr 64(%rdi)
    fnstcw 68(%rdi)
    xorl %eax, %eax
    ret
    .cfi_endproc
    .size dm_context_save, .-dm_context_save

    .globl dm_context_resume
    .hidden dm_context_resume
    .type dm_context_resume, @function
dm_context_resume:
    .cfi_startproc
    movl %esi, %eax
    movq 0(%rdi), %rbx
    movq 8(%rdi), %rbp
    movq 16(%rdi), %r12
    movq 24(%rdi), %r13
    movq 32(%rdi), %r14
    movq 40(%rdi), %r15
    ldmxcsr 64(%rdi)
    fldcw 68(%rdi)
    movq 48(%rdi), %rsp
    jmpq *56(%rdi)
    .cfi_endproc
    .size dm_context_resume, .-dm_context_resume

    /* The return address of our signal handler: rt_sigreturn(2). The kernel does
     * not restore a signal frame otherwise when the handler was installed by the
     * raw system call (SA_RESTORER). */
    .globl dm_sigreturn
    .hidden dm_sigreturn
    .type dm_sigreturn, @function
dm_sigreturn:
    movl $15, %eax
    syscall
    ud2
    .size dm_sigreturn, .-dm_sigreturn

    .section .note.GNU-stack, "", @progbits
