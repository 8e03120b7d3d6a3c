/* Proves: a program with 200 threads, all waiting, keeps each of them: its TID,
 * its TLS, its stack. A token visits every thread in turn. */
#include "../sample.h"
#include <pthread.h>
#include <semaphore.h>

enum { THREADS = 200 };

struct worker { pthread_t thread; sem_t go; pid_t tid; uint64_t visits; };

static struct worker s_workers[THREADS];
static sem_t s_back;
static volatile bool s_over;
static uint64_t s_token;
static __thread uint64_t t_visits;

static void *visit(void *argument)
{
    struct worker *worker = argument;
    char stack[512];
    sample_fill(stack, sizeof stack, worker - s_workers, 0);
    worker->tid = gettid();
    sem_post(&s_back);
    for (;;) {
        CHECK(sem_wait(&worker->go) == 0, "sem_wait: %s", strerror(errno));
        if (s_over)
            break;
        CHECK(gettid() == worker->tid, "gettid() is %d, was %d", gettid(), worker->tid);
        t_visits++;
        s_token = sample_mix(s_token + (worker - s_workers));
        sem_post(&s_back);
    }
    sample_compare(stack, sizeof stack, worker - s_workers, 0, "stack");
    worker->visits = t_visits;
    return NULL;
}

int main(void)
{
    sem_init(&s_back, 0, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    for (int i = 0; i < THREADS; i++) {
        sem_init(&s_workers[i].go, 0, 0);
        CHECK(pthread_create(&s_workers[i].thread, &attributes, visit, &s_workers[i]) == 0, "pthread_create %d", i);
        CHECK(sem_wait(&s_back) == 0, "sem_wait: %s", strerror(errno));
    }

    sample_ready();
    uint64_t rounds = 0, expected = 0;
    for (; sample_more(100); rounds++) {
        for (int i = 0; i < THREADS; i++) {
            sem_post(&s_workers[i].go);
            CHECK(sem_wait(&s_back) == 0, "sem_wait: %s", strerror(errno));
            expected = sample_mix(expected + i);
        }
        sample_idle();
    }

    s_over = true;
    for (int i = 0; i < THREADS; i++) {
        sem_post(&s_workers[i].go);
        CHECK(pthread_join(s_workers[i].thread, NULL) == 0, "pthread_join");
        CHECK(s_workers[i].visits == rounds, "thread %d was visited %llu times, not %llu", i,
              (unsigned long long)s_workers[i].visits, (unsigned long long)rounds);
    }
    CHECK(s_token == expected, "the token differs");
    return sample_ok(s_token);
}
