-- Teachers: region, school, experience. Not dated; years_teaching is as of today. is_core is 0 or 1.
CREATE TABLE r_teacher_info (
    teacher_id BIGINT NOT NULL,
    province_id BIGINT,
    city_id BIGINT,
    county_id BIGINT,
    school_id BIGINT,
    register_day VARCHAR(10),
    is_core BIGINT,
    years_teaching BIGINT,
    PRIMARY KEY (teacher_id)
);
