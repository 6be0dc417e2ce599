// Says "Stack overflow." before a thread whose stack is full ends the process, as the runtime with a just-in-time compiler does; that of native code
// dies without a word, and of the wrong signal. Linked with --wrap=pthread_create --wrap=sigaction, so that each thread of the program gets a stack
// for signals, and this handler stands before the runtime's own, which turns a fault at a null reference into an exception.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIGNAL_STACK (64 * 1024)
// A full stack faults at its guard; nothing else lies as close below it.
#define NEAR (64 * 1024)

typedef void *(*start_routine)(void *);

struct start {
    start_routine routine;
    void *argument;
};

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, start_routine routine, void *argument);
int __real_sigaction(int signal, const struct sigaction *action, struct sigaction *old);

static struct sigaction s_runtime;
static __thread char *t_stack_end;

static void on_fault(int signal, siginfo_t *info, void *context) {
    static const char text[] =
        "Stack overflow.\n   Native code keeps no names for this stack: 'orchestrator serve --worker-runtime jit' shows them.\n";
    char *address = info->si_addr;
    if (t_stack_end != NULL && address >= t_stack_end - NEAR && address < t_stack_end + NEAR) {
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
            // Nobody reads it.
        }
        struct sigaction usual = {.sa_handler = SIG_DFL};
        __real_sigaction(SIGABRT, &usual, NULL);
        abort();
    }
    if (s_runtime.sa_flags & SA_SIGINFO) {
        s_runtime.sa_sigaction(signal, info, context);
    } else if (s_runtime.sa_handler != SIG_DFL && s_runtime.sa_handler != SIG_IGN) {
        s_runtime.sa_handler(signal);
    } else {
        // Faults again where it has, and ends the process.
        __real_sigaction(signal, &s_runtime, NULL);
    }
}

static void *take_signal_stack(void) {
    pthread_attr_t attributes;
    void *lowest;
    size_t size;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return NULL;
    if (pthread_attr_getstack(&attributes, &lowest, &size) == 0)
        t_stack_end = lowest;
    pthread_attr_destroy(&attributes);
    void *memory = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    stack_t stack = {.ss_sp = memory, .ss_size = SIGNAL_STACK};
    sigaltstack(&stack, NULL);
    return memory;
}

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    void *memory = take_signal_stack();
    void *result = start.routine(start.argument);
    if (memory != NULL) {
        stack_t none = {.ss_flags = SS_DISABLE};
        sigaltstack(&none, NULL);
        munmap(memory, SIGNAL_STACK);
    }
    return result;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, start_routine routine, void *argument) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL)
        return __real_pthread_create(thread, attributes, routine, argument);
    *start = (struct start){routine, argument};
    int error = __real_pthread_create(thread, attributes, run, start);
    if (error != 0)
        free(start);
    return error;
}

int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
    if (signal != SIGSEGV || action == NULL)
        return __real_sigaction(signal, action, old);
    // The runtime sets it once, on the main thread, before it runs any managed code.
    if (t_stack_end == NULL)
        take_signal_stack();
    s_runtime = *action;
    struct sigaction ours = *action;
    ours.sa_sigaction = on_fault;
    ours.sa_flags |= SA_SIGINFO | SA_ONSTACK;
    return __real_sigaction(signal, &ours, old);
}
