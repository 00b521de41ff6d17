-- How often each class was set each style on a day.
SELECT day, teacher_id, class_id, style, cnt
FROM style_counts
WHERE day = :day
