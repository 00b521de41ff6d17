-- What a teacher saw (tag 'view') and opened (tag 'click') in the ranked list. log_time is epoch milliseconds.
CREATE TABLE homework_click_log (
    log_time BIGINT,
    day VARCHAR(10) NOT NULL,
    teacher_id VARCHAR(32),
    class_id VARCHAR(32),
    tag VARCHAR(32),
    chapter_id VARCHAR(4000),
    section_id VARCHAR(4000),
    style VARCHAR(255)
);
CREATE INDEX homework_click_log_day ON homework_click_log (day, log_time);
