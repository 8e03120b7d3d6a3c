"""Proves: a database transaction that was open when the program fell asleep can be
committed when it wakes, also when the file was changed in between: the file is rolled
back with the memory. Locks are held, the journal is found, the database is sound."""
import os
import sqlite3
import time

import sample


def main():
    path = os.path.join(sample.directory(), "bank.db")
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("create table account (id integer primary key, money integer)")
    database.executemany("insert into account values (?, 1000)", [(i,) for i in range(100)])

    sample.ready()
    transactions = 0
    for step in sample.steps(60):
        database.execute("begin immediate")
        for transfer in range(10):
            value = sample.mix(step * 10 + transfer)
            giver, taker, amount = value % 100, value // 100 % 100, value // 10000 % 50
            database.execute("update account set money = money - ? where id = ?", (amount, giver))
            if transfer == 5:
                time.sleep(0.01)               # asleep here, most likely
            database.execute("update account set money = money + ? where id = ?", (amount, taker))
        database.execute("commit")
        transactions += 1

    money = [1000] * 100
    for step in range(transactions):
        for transfer in range(10):
            value = sample.mix(step * 10 + transfer)
            money[value % 100] -= value // 10000 % 50
            money[value // 100 % 100] += value // 10000 % 50
    found = [row[0] for row in database.execute("select money from account order by id")]
    sample.check(found == money, f"after {transactions} transactions the accounts differ")
    sample.check(database.execute("pragma integrity_check").fetchone()[0] == "ok", "the database is damaged")
    database.close()
    os.unlink(path)
    sample.ok(sum(i * m for i, m in enumerate(money)))


main()
