/* int64_t dm_sem_call(rdi number, rsi set, rdx operations, rcx count, r8 timeout, r9 uint32_t *done)
 *
 * semop(2) or semtimedop(2), and *done = 1 when it has succeeded. A thread that is suspended between the two labels with rax 0
 * has done it and has not said so.
 */
    .text
    .globl dm_sem_call
    .hidden dm_sem_call
    .globl dm_sem_call_returned
    .hidden dm_sem_call_returned
    .globl dm_sem_call_noted
    .hidden dm_sem_call_noted
    .type dm_sem_call, @function
dm_sem_call:
    .cfi_startproc
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    syscall
dm_sem_call_returned:
    testq %rax, %rax
    jnz dm_sem_call_noted
    movl $1, (%r9)
dm_sem_call_noted:
    ret
    .cfi_endproc
    .size dm_sem_call, .-dm_sem_call

    .section .note.GNU-stack, "", @progbits
