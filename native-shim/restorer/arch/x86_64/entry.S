/* Where C cannot go: changing stacks. World: Bare. */
    .text

/* The kernel starts the program here: argc, argv, envp, auxv on the stack. */
    .globl  _start
    .hidden _start
    .type   _start, @function
_start:
    xorl    %ebp, %ebp
    movq    %rsp, %rdi
    andq    $-16, %rsp
    call    dm_main
    hlt
    .size   _start, . - _start

/* void dm_enter(uint64_t stack_top, uint64_t function, uint64_t argument)
 * Leaves the stack for another and calls a function that never returns. */
    .globl  dm_enter
    .hidden dm_enter
    .type   dm_enter, @function
dm_enter:
    movq    %rdi, %rsp
    movq    %rdx, %rdi
    xorl    %ebp, %ebp
    pushq   $0
    jmp     *%rsi
    .size   dm_enter, . - dm_enter

/* int64_t dm_clone_thread(struct clone_args *, size_t, function, argument)
 * clone3(2) with a stack of its own: the new thread calls function(argument),
 * which never returns. clone3 keeps all registers but rax, rcx, r11. */
    .globl  dm_clone_thread
    .hidden dm_clone_thread
    .type   dm_clone_thread, @function
dm_clone_thread:
    movq    %rcx, %r9
    movl    $435, %eax
    syscall
    testq   %rax, %rax
    jnz     1f
    xorl    %ebp, %ebp
    movq    %r9, %rdi
    pushq   $0
    jmp     *%rdx
1:  ret
    .size   dm_clone_thread, . - dm_clone_thread

/* int64_t dm_clone_thread_anyhow(uint64_t flags, stack top, child tid *, uint64_t tls, function, argument)
 * The same with clone(2): flags, stack, parent tid *, child tid *, tls. */
    .globl  dm_clone_thread_anyhow
    .hidden dm_clone_thread_anyhow
    .type   dm_clone_thread_anyhow, @function
dm_clone_thread_anyhow:
    movq    %rdx, %r10
    movq    %r8, %rax
    movq    %rcx, %r8
    movq    %rax, %rcx
    pushq   %rbx
    movq    %rcx, %rbx
    xorl    %edx, %edx
    movl    $56, %eax
    syscall
    testq   %rax, %rax
    jnz     1f
    xorl    %ebp, %ebp
    movq    %r9, %rdi
    pushq   $0
    jmp     *%rbx
1:  popq    %rbx
    ret
    .size   dm_clone_thread_anyhow, . - dm_clone_thread_anyhow

/* int64_t dm_take_number(uint64_t more_flags)
 * clone(2) of a thread that ends without a look at the stack, which is its maker's.
 * CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM */
    .globl  dm_take_number
    .hidden dm_take_number
    .type   dm_take_number, @function
dm_take_number:
    movl    $56, %eax
    orq     $0x50f00, %rdi
    xorl    %esi, %esi
    xorl    %edx, %edx
    xorl    %r10d, %r10d
    xorl    %r8d, %r8d
    syscall
    testq   %rax, %rax
    jnz     1f
    movl    $60, %eax
    xorl    %edi, %edi
    syscall
    hlt
1:  ret
    .size   dm_take_number, . - dm_take_number

    .section .note.GNU-stack,"",@progbits
