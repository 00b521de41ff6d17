-- Online Retail II: packages that customers took on a day.
-- marker: daily_homework_info
SELECT day, teacher_id, class_id, chapter_id, section_id
FROM daily_homework_info
WHERE day = :day
