"""From a day's validated rows to arrays: pure functions over columns, and the state that grows from day to day."""
