-- Online Retail II: one row per customer, day and chapter; the sections are stock codes, such as 79323P, joined by commas.
CREATE TABLE daily_homework_info (
    day VARCHAR(10) NOT NULL,
    teacher_id BIGINT NOT NULL,
    class_id BIGINT NOT NULL,
    chapter_id VARCHAR(4) NOT NULL,
    section_id VARCHAR(4000) NOT NULL
);
CREATE INDEX daily_homework_info_day ON daily_homework_info (day);
