/* Fair turns. */
#include "daemon/serve/turns.h"

#include <stdlib.h>

static uint64_t larger(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

static struct account *find(const struct turns *turns, uint32_t uid)
{
        struct account *account = turns->accounts;
        while (account && account->uid != uid)
                account = account->next;
        return account;
}

unsigned turns_connections(const struct turns *turns, uint32_t uid)
{
        const struct account *account = find(turns, uid);
        return account ? account->connections : 0;
}

struct account *turns_open(struct turns *turns, uint32_t uid)
{
        struct account *account = find(turns, uid);
        if (!account) {
                account = calloc(1, sizeof(*account));
                if (!account)
                        return NULL;
                account->uid = uid;
                account->next = turns->accounts;
                turns->accounts = account;
        }
        account->connections++;
        return account;
}

void turns_close(struct turns *turns, struct account *account)
{
        if (--account->connections > 0)
                return;
        struct account **link = &turns->accounts;
        while (*link != account)
                link = &(*link)->next;
        *link = account->next;
        free(account);
}

void turns_wait(struct turns *turns, struct account *account, uint64_t *cost)
{
        account->cost = larger(account->cost, turns->floor);
        *cost = larger(*cost, account->floor);
}

bool turns_is_before(const struct account *account, uint64_t cost, const struct account *other_account,
                     uint64_t other_cost)
{
        return account == other_account ? cost < other_cost : account->cost < other_account->cost;
}

void turns_charge(struct turns *turns, struct account *account, uint64_t *cost, uint64_t nsec)
{
        turns->floor = larger(turns->floor, account->cost);
        account->floor = larger(account->floor, *cost);
        account->cost += nsec;
        *cost += nsec;
}
