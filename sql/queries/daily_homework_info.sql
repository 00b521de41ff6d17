-- Homework really set on a day.
SELECT day, teacher_id, class_id, edition_id, grade, term, chapter_id, section_id, style, reflect_id
FROM daily_homework_info
WHERE day = :day
