-- Homework really set on a day: one row per package. The label source and the history.
-- Ids are text because the raw logs hold malformed ones; several ids in a cell are joined by commas.
CREATE TABLE daily_homework_info (
    day VARCHAR(10) NOT NULL,
    teacher_id VARCHAR(32),
    class_id VARCHAR(32),
    edition_id VARCHAR(32),
    grade VARCHAR(32),
    term VARCHAR(32),
    chapter_id VARCHAR(4000),
    section_id VARCHAR(4000),
    style VARCHAR(255),
    reflect_id VARCHAR(255)
);
CREATE INDEX daily_homework_info_day ON daily_homework_info (day);
