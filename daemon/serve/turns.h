/* Whose call is answered next: that of the user who has cost the least so far, and of that user's connections
 * the one that has. So a flood of calls delays those who send it, and hardly anybody else (start-time fair
 * queueing, on two levels). Knows nothing of connections but their cost. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One user with open connections. */
struct account {
        struct account *next;
        uint32_t uid;
        unsigned connections;
        uint64_t cost;  /* nanoseconds spent on this user, counted from `floor` of the turns */
        uint64_t floor; /* where its connections' costs are counted from */
};

struct turns {
        struct account *accounts;
        uint64_t floor; /* the cost of whoever was served last: nobody saves up a right by being silent */
};

/* The account of a user, with one connection more; NULL if there is no memory. */
struct account *turns_open(struct turns *turns, uint32_t uid);
/* One connection less; the account ends with its last. */
void turns_close(struct turns *turns, struct account *account);
unsigned turns_connections(const struct turns *turns, uint32_t uid);

/* A connection begins to wait for its turn; `cost` is the connection's. */
void turns_wait(struct turns *turns, struct account *account, uint64_t *cost);
/* Whether the first of two that wait comes before the second. */
bool turns_is_before(const struct account *account, uint64_t cost, const struct account *other_account,
                     uint64_t other_cost);
/* It has had its turn, which took so long. */
void turns_charge(struct turns *turns, struct account *account, uint64_t *cost, uint64_t nsec);
