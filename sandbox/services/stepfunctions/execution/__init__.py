"""Executions: records that durable tasks advance, state by state.

An execution has branches (its own, and those of Parallel and Map states), each a record with the state it is
in and what that state waits for. One task a branch moves it on; every move writes its history with it.
"""
