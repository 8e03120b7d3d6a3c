/* Goes on with a system call that our suspension cut short, so that the program
 * sees one call with one result and its registers as they were.
 *
 * Entered by rt_sigreturn with rsp at a struct dm_resume_call (include/dm_thread.h),
 * rax the call number and the argument registers adjusted: a timeout less the time
 * already waited, or the rest of a transfer. At dm_resume_wait_start ppoll(2) goes before
 * the call. The kernel destroys rcx and r11 in any
 * system call, so these are free afterwards.
 */
    .text
    .globl dm_resume_call_start
    .hidden dm_resume_call_start
    .globl dm_resume_call_after
    .hidden dm_resume_call_after
    .globl dm_resume_call_end
    .hidden dm_resume_call_end
    .globl dm_resume_wait_start
    .hidden dm_resume_wait_start
    .globl dm_resume_wait_after
    .hidden dm_resume_wait_after
    .type dm_resume_wait_start, @function
dm_resume_wait_start:
    .cfi_startproc simple
    .cfi_signal_frame
    /* CFA = the program's rsp; its rip is the return address: DWARF expressions
     * over rsp (breg7), so that thread cancellation and exceptions unwind through here. */
    .cfi_escape 0x0f, 0x03, 0x77, 40, 0x06
    .cfi_escape 0x10, 0x10, 0x02, 0x77, 32
    .cfi_undefined rcx
    .cfi_undefined r11
    syscall                             /* ppoll; it leaves the time that remains in the record */
dm_resume_wait_after:
    testq %rax, %rax
    js 2f
    jz 3f
    movq 0(%rsp), %rdi
    movq 8(%rsp), %rsi
    movq 16(%rsp), %rdx
    movq 24(%rsp), %r10
    movq 72(%rsp), %rax
dm_resume_call_start:
    syscall
dm_resume_call_after:
    movq 48(%rsp), %rcx
    testq %rcx, %rcx
    jz 2f
    /* Bytes had gone before: an error now means a short count, as it would have then. */
    testq %rax, %rax
    js 1f
    addq %rcx, %rax
    jmp 2f
1:  movq %rcx, %rax
2:  movq 0(%rsp), %rdi
    movq 8(%rsp), %rsi
    movq 16(%rsp), %rdx
    movq 24(%rsp), %r10
    movq 32(%rsp), %r11
    movq 40(%rsp), %rsp
    jmpq *%r11
3:  movq 80(%rsp), %rax
    jmp 2b
dm_resume_call_end:
    .cfi_endproc
    .size dm_resume_wait_start, .-dm_resume_wait_start

    .section .note.GNU-stack, "", @progbits
