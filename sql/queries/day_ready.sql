-- Whether a table's day is complete.
SELECT table_name, day
FROM day_ready
WHERE table_name = :table_name AND day = :day
