"""Proves: a database transaction that was open when the program fell asleep can be
committed when it wakes, also when the file was changed in between: the file is rolled
back with the memory, and its journal with it. Locks are held, the database is sound.
usage: python-sqlite.py [delete|truncate|persist|wal]    how SQLite journals"""
import os
import sqlite3
import sys
import time

import sample

ACCOUNTS = 2000
TRANSFERS = 40


def transfers(step):
    for transfer in range(TRANSFERS):
        value = sample.mix(step * TRANSFERS + transfer)
        yield value % ACCOUNTS, value // ACCOUNTS % ACCOUNTS, value // 10000000 % 50


def main():
    path = os.path.join(sample.directory(), "bank.db")
    mode = sys.argv[1] if len(sys.argv) > 1 else "delete"
    database = sqlite3.connect(path, isolation_level=None)
    sample.check(database.execute(f"pragma journal_mode={mode}").fetchone()[0] == mode, f"no journal_mode {mode}")
    database.execute("pragma cache_size=8")     # pages: a transaction writes into the file before it is committed
    database.execute("create table account (id integer primary key, money integer, text)")
    database.execute("begin")
    database.executemany("insert into account values (?, 1000, ?)", [(i, "x" * 200) for i in range(ACCOUNTS)])
    database.execute("commit")

    sample.ready()
    transactions = 0
    for step in sample.steps(60):
        database.execute("begin immediate")
        for transfer, (giver, taker, amount) in enumerate(transfers(step)):
            database.execute("update account set money = money - ? where id = ?", (amount, giver))
            if transfer == TRANSFERS // 2:
                time.sleep(0.01)                # asleep here, most likely
            database.execute("update account set money = money + ? where id = ?", (amount, taker))
        database.execute("commit")
        transactions += 1

    money = [1000] * ACCOUNTS
    for step in range(transactions):
        for giver, taker, amount in transfers(step):
            money[giver] -= amount
            money[taker] += amount
    found = [row[0] for row in database.execute("select money from account order by id")]
    sample.check(found == money, f"after {transactions} transactions the accounts differ")
    sample.check(database.execute("pragma integrity_check").fetchone()[0] == "ok", "the database is damaged")
    database.close()
    for suffix in ("", "-journal", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.unlink(path + suffix)
    sample.ok(sum(i * m for i, m in enumerate(money)))


main()
