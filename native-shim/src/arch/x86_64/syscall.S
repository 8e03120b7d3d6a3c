/* long syscall(long number, ...): syscall(2), for programs that call the kernel through libc's function of this name.
 *
 * Replaced because a signal frame does not tell which call was interrupted, and here the number is not in the code either: it lies
 * under the stack pointer, where signal handlers leave it alone (the red zone of the x86-64 ABI, 3.2.2), so that the
 * call can go on after a suspension (src/call_site.c). And execve(2) and fork(2) have to meet src/exec.c and src/fork.c.
 */
    .text
    .globl syscall
    .globl dm_syscall_returned
    .hidden dm_syscall_returned
    .type syscall, @function
syscall:
    .cfi_startproc
    cmpq $57, %rdi                      /* __NR_fork */
    je 4f
    cmpq $59, %rdi                      /* __NR_execve */
    je 2f
    cmpq $322, %rdi                     /* __NR_execveat */
    je 3f
    movq %rdi, -8(%rsp)
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
dm_syscall_returned:
    cmpq $-4095, %rax
    jae 1f
    ret
1:  negl %eax
    pushq %rax
    .cfi_adjust_cfa_offset 8
    call __errno_location@PLT
    popq %rcx
    .cfi_adjust_cfa_offset -8
    movl %ecx, (%rax)
    movq $-1, %rax
    ret
2:  movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    jmp execve@PLT
3:  movl %esi, %edi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %rcx
    movl %r9d, %r8d
    jmp execveat@PLT
4:  jmp _Fork@PLT
    .cfi_endproc
    .size syscall, .-syscall

    .section .note.GNU-stack, "", @progbits
